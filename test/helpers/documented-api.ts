import Ajv2020, { type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import request from 'supertest';
import { FakeBatcherClient } from './fake-batcher-client';
import { usualApp } from './usual-app';

/** As much of a schema of ours as tells the answers apart that it describes. */
interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  allOf?: [Schema, { properties: { code: { enum: string[] } } }];
}

interface Operation {
  operationId: string;
  parameters?: { name: string; schema: object }[];
  requestBody?: { required: boolean; content: Record<string, { example: unknown; schema: object }> };
  responses: Record<
    string,
    { headers?: Record<string, { required?: boolean }>; content: Record<string, { schema: Schema }> }
  >;
}

/** What `/openapi.json` answers, as much of it as is read here. */
export interface ApiDocument {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** One answer of the API, and what it is to. */
export interface ApiAnswer {
  method: string;
  /** Without the query. */
  path: string;
  status: number;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  body: string;
}

/** The description of an API, to hold answers against. */
export interface DocumentedApi {
  document: ApiDocument;
  /** Every answer that is described, as `operationId status code`, with the schema's name where there is no code. */
  outcomes: string[];
  /** Which of them an answer is, or what about it isn't described. */
  outcomeOf(answer: ApiAnswer): { outcome: string } | { wrong: string };
}

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/**
 * No part of the API: for people, and for Temporal's own tools. Found as Express finds routes (see `patternOf`), so the
 * first is at `//` as well.
 */
const PAGES = /^\/(\/?$|codec\/|docs(\/|$)|ui\/|openapi\.json\/?$)/i;

let ours: Promise<DocumentedApi> | undefined;

/** The description of our API, as an app with usual limits gives it. */
export function ourDocumentedApi(): Promise<DocumentedApi> {
  ours ??= request(usualApp(new FakeBatcherClient()))
    .get('/openapi.json')
    .expect(200)
    .then(({ body }) => documentedApi(body as ApiDocument));
  return ours;
}

export function documentedApi(document: ApiDocument): DocumentedApi {
  const ajv = addFormats(new Ajv2020({ strict: false })).addSchema(closed(document), 'api');
  const validators = new Map<string, ValidateFunction>();
  function problemsWith(schema: Schema, body: string): string | undefined {
    const text = JSON.stringify(schema).replaceAll('"#/', '"api#/');
    const validate = validators.get(text) ?? ajv.compile(JSON.parse(text) as AnySchemaObject);
    validators.set(text, validate);
    return validate(JSON.parse(body)) ? undefined : `${ajv.errorsText(validate.errors)}: ${body}`;
  }

  const operations = Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, template, operation })),
  );

  function operationFor({ method, path }: ApiAnswer) {
    const asked = method === 'HEAD' ? 'get' : method.toLowerCase();
    return operations.find(({ method, template }) => method === asked && patternOf(template).test(path));
  }

  function outcomeOf(answer: ApiAnswer): { outcome: string } | { wrong: string } {
    const { method, path, status, headers, body } = answer;
    const wrong = (what: string) => ({ wrong: `${method} ${path}: ${status} ${what}` });
    const found = operationFor(answer);
    if (found === undefined) {
      if (PAGES.test(path) && (status === 200 || method === 'OPTIONS')) return { outcome: 'page' };
      if (method === 'HEAD') return { outcome: 'HEAD of nothing' };
      if (headers['content-type'] !== PROBLEM_TYPE) return wrong('is neither described nor a refusal');
      const problems = problemsWith(named('Problem'), body);
      return problems === undefined ? { outcome: 'refusal' } : wrong(problems);
    }

    const { operationId, responses } = found.operation;
    const response = responses[status];
    if (response === undefined) return wrong(`is not described: ${body}`);
    for (const [name, { required = false }] of Object.entries(response.headers ?? {}))
      if (required && headers[name.toLowerCase()] === undefined) return wrong(`has no ${name}`);
    if ('retry-after' in headers && response.headers?.['Retry-After'] === undefined)
      return wrong('has a Retry-After that is not described');
    if (method === 'HEAD') return { outcome: `HEAD of ${operationId}` };

    const [type = ''] = headers['content-type']?.split(';') ?? [];
    const schema = response.content[type]?.schema;
    if (schema === undefined) return wrong(`has the type ${type}`);
    if (type === 'text/event-stream') {
      const problems = eventsIn(body).flatMap((event) => problemsWith(schema, JSON.stringify(event)) ?? []);
      return problems.length === 0
        ? { outcome: `${operationId} ${status} LiveEvent` }
        : wrong(problems.join());
    }
    const problems = problemsWith(schema, body);
    if (problems !== undefined) return wrong(problems);
    const { code } = JSON.parse(body) as { code?: string };
    const name = code ?? namesOf(schema).find((name) => problemsWith(named(name), body) === undefined);
    return { outcome: `${operationId} ${status} ${name ?? ''}` };
  }

  const outcomes = operations.flatMap(({ operation: { operationId, responses } }) =>
    Object.entries(responses).flatMap(([status, { content }]) =>
      Object.values(content).flatMap(({ schema }) =>
        namesOf(schema).map((name) => `${operationId} ${status} ${name}`),
      ),
    ),
  );
  return { document, outcomes, outcomeOf };
}

/** Server-sent events, each with the JSON of its data; comments are left out. */
export function eventsIn(text: string): { event?: string; id?: string; data: unknown }[] {
  return text
    .split('\n\n')
    .filter((block) => /^data:/m.test(block))
    .map((block) => {
      const fields = Object.fromEntries(
        block.split('\n').map((line): [string, string] => {
          const [name = '', ...value] = line.split(': ');
          return [name, value.join(': ')];
        }),
      );
      return { ...fields, data: JSON.parse(fields['data'] ?? 'null') as unknown };
    });
}

/** With answers that have what is described and nothing else: clients are to bear more, tests aren't. */
function closed(document: ApiDocument): ApiDocument {
  const components = JSON.parse(JSON.stringify(document.components), (_key, part: unknown) =>
    typeof part === 'object' && part !== null && 'properties' in part
      ? { additionalProperties: false, ...(part as object) }
      : part,
  ) as ApiDocument['components'];
  return { ...document, components };
}

/** What tells the answers apart that a schema describes: codes of refusals, else names of schemas. */
function namesOf({ $ref, anyOf, allOf }: Schema): string[] {
  if (allOf) return allOf[1].properties.code.enum;
  if (anyOf) return anyOf.flatMap(namesOf);
  return [$ref?.split('/').at(-1) ?? ''];
}

/** As Express finds routes: in any case, with or without a slash at the end. */
function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 'i');
}

function named(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}
