import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { ERRORS, KeepapartError, type ErrorCode } from '../../domain/errors';
import {
  ERRORS_OF_ANY,
  ERRORS_OF_BODY,
  ERRORS_OF_CHANGE,
  ERRORS_OF_OTHERS,
  ERRORS_UNDER_V1,
  JSON_TYPE,
} from '../openapi/operation';
import { PROBLEM_TYPE, problemOf } from '../problems/problem-response';
import { problemWithCode } from '../openapi/problem-schema';
import type { ServedOperation } from './routing';

/** The description of an API: plain JSON, as OpenAPI 3.1 has it. */
export type ApiDescription = ReturnType<typeof createDocument>;

const ABOUT = `Durable micro-batching that keeps conflicting records apart.

Where API keys are configured, every call under \`/v1\` needs one, with the right that the call names. Refusals are
problem details (RFC 9457) whose \`code\` is stable; docs/ERRORS.md explains each. Every answer of a call that reached the
API has an \`X-Request-Id\`, which names it in the log. GET answers HEAD as well.`;

/** By the right that a call needs, in display order. */
const TAGS: Record<ServedOperation['right'], { name: string; description: string }> = {
  ingest: { name: 'Records', description: 'Sending them' },
  read: { name: 'Views', description: 'Where records are, and their outcomes' },
  operate: { name: 'Controls', description: 'Manual operations; who did what and when is recorded' },
  none: { name: 'Probes', description: 'For health checks of the process' },
};

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
} as const;

const RETRY_AFTER = z.object({
  'Retry-After': z.int().min(0).meta({ description: 'Seconds to wait before trying again' }),
});
/** Refusals with these statuses say when to retry. */
const COME_BACK = [429, 503];

/**
 * Describes all of these operations, from the schemas that validate what they take and give the types of their answers.
 * @param mount the path under which another app has it
 */
export function describeApi(
  operations: readonly ServedOperation[],
  version: string,
  mount = '',
): ApiDescription {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const operation of operations)
    (paths[operation.path] ??= {})[operation.method] = describeOperation(operation);
  const document: ZodOpenApiObject = {
    openapi: '3.1.1',
    info: { title: 'keepapart', version, description: ABOUT, license: { name: 'MIT', identifier: 'MIT' } },
    tags: Object.values(TAGS),
    ...(mount !== '' && { servers: [{ url: mount }] }),
    paths,
    components: { securitySchemes: SECURITY_SCHEMES },
  };
  return createDocument(document, { override: leaveAnswersOpen });
}

/** So that generated clients accept fields that later releases add to an answer. */
const leaveAnswersOpen: ZodOpenApiOverride = ({ jsonSchema, io }) => {
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
};

function describeOperation(operation: ServedOperation): ZodOpenApiOperationObject {
  const { operationId, summary, description, right, params, query, headers, body, answer } = operation;
  const needs = right === 'none' ? [] : [`Needs the right \`${right}\`.`];
  return {
    operationId,
    tags: [TAGS[right].name],
    summary,
    description: [description ?? `${summary}.`, ...needs].join('\n\n'),
    // Without configured keys, none is required.
    security: right === 'none' ? [] : [{ bearer: [] }, { apiKey: [] }, {}],
    requestParams: {
      ...(params && { path: params }),
      ...(query && { query }),
      ...(headers && { header: headers }),
    },
    ...(body && { requestBody: { required: body.required, content: { ...body.content } } }),
    responses: {
      [answer.status]: {
        description: 'Done',
        ...(answer.headers && { headers: answer.headers }),
        content: { [answer.type ?? JSON_TYPE]: { schema: answer.schema } },
      },
      ...refusals(errorsOf(operation)),
    },
  };
}

function errorsOf({ method, right, body, isLocal, errors = [] }: ServedOperation): ErrorCode[] {
  return [
    ...ERRORS_OF_ANY,
    ...(right === 'none' ? [] : ERRORS_UNDER_V1),
    ...(right === 'none' || isLocal ? [] : ERRORS_OF_OTHERS),
    ...(method !== 'get' ? ERRORS_OF_CHANGE : []),
    ...(body ? ERRORS_OF_BODY : []),
    ...errors,
  ];
}

/** One response for each status, with the codes that come with it. */
function refusals(codes: readonly ErrorCode[]): ZodOpenApiResponsesObject {
  const statuses = [...new Set(codes.map(statusOf))].sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const ofStatus = codes.filter((code) => statusOf(code) === status);
      const refusal = {
        description: ofStatus.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('; '),
        ...(COME_BACK.includes(status) && { headers: RETRY_AFTER }),
        content: { [PROBLEM_TYPE]: { schema: problemWithCode(ofStatus), example: exampleOf(ofStatus) } },
      };
      return [status, refusal] as const;
    }),
  );
}

function exampleOf([code = 'internal']: readonly ErrorCode[]): object {
  return problemOf(new KeepapartError(code, `${ERRORS[code].title}, and more about it`));
}

/** @throws TypeError for an error that HTTP clients can't get, which is a bug */
function statusOf(code: ErrorCode): number {
  const { status }: { title: string; status?: number } = ERRORS[code];
  if (status === undefined) throw new TypeError(`${code} is no answer of the API`);
  return status;
}
