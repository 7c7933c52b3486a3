import path from 'node:path';
import request from 'supertest';
import { FakeBatcherClient } from '../helpers/fake-batcher-client';
import { usualApp } from '../helpers/usual-app';

export const MODELS_FILE = path.resolve(__dirname, '../../clients/python/src/keepapart/models.py');

/** As much of JSON Schema as `/openapi.json` uses. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  prefixItems?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  description?: string;
}

const HEAD = `"""What the API answers and accepts, as /openapi.json describes it.

Written by \`npm run python:models\`; a test compares it with the API. Later releases may add fields to answers.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

JsonValue: TypeAlias = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
`;

const KEYWORDS = new Set([
  'for',
  'from',
  'in',
  'is',
  'not',
  'and',
  'or',
  'if',
  'class',
  'global',
  'with',
  'pass',
]);
const isName = (key: string) => /^[A-Za-z_]\w*$/.test(key) && !KEYWORDS.has(key);

/** Python's types for each schema of `/openapi.json` that has a name. */
export async function pythonModels(): Promise<string> {
  const answer = await request(usualApp(new FakeBatcherClient())).get('/openapi.json');
  const { components } = answer.body as { components: { schemas: Record<string, Schema> } };
  const blocks: string[] = [];
  for (const [name, schema] of Object.entries(components.schemas)) define(name, schema, blocks);
  return [HEAD, ...blocks].join('\n\n');
}

/** Appends the definition of a type, after those of objects inside it that have no name of their own. */
function define(name: string, schema: Schema, blocks: string[]): void {
  if (schema.properties === undefined) {
    blocks.push(`${name}: TypeAlias = ${typeOf(schema, name, blocks, true)}\n`);
    return;
  }
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties).map(([key, part]) => {
    const type = typeOf(part, name + capitalized(key), blocks, false);
    return [key, required.has(key) ? type : `NotRequired[${type}]`] as const;
  });
  const lines = fields.every(([key]) => isName(key))
    ? [`class ${name}(TypedDict):`, ...fields.map(([key, type]) => `    ${key}: ${type}`)]
    : [
        `${name} = TypedDict(`,
        `    "${name}",`,
        '    {',
        ...fields.map(([key, type]) => `        "${key}": "${type.replaceAll('"', "'")}",`),
        '    },',
        ')',
      ];
  if (fields.length === 0) lines.push('    pass');
  blocks.push(`${lines.join('\n')}\n`);
}

const SIMPLE: Readonly<Record<string, string>> = {
  string: 'str',
  integer: 'int',
  number: 'float',
  boolean: 'bool',
  null: 'None',
};

/** @param quoted whether names that come later have to be quoted, because the text is evaluated at once */
function typeOf(schema: Schema, name: string, blocks: string[], quoted: boolean): string {
  const inner = (part: Schema, suffix = '') => typeOf(part, name + suffix, blocks, quoted);
  const union = (types: string[]) => {
    const all = [...new Set(types)].join(' | ');
    return quoted && all.includes(' | ') && all.includes('"') ? `"${all.replaceAll('"', '')}"` : all;
  };
  if (schema.$ref !== undefined) {
    const ref = schema.$ref.replace('#/components/schemas/', '');
    return quoted ? `"${ref}"` : ref;
  }
  if (schema.const !== undefined) return literal([schema.const]);
  if (schema.enum !== undefined) return literal(schema.enum);
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants !== undefined)
    return union(variants.map((part, i) => inner(part, variants.length > 1 ? String(i + 1) : '')));
  if (schema.allOf !== undefined) return inner(schema.allOf[0] ?? {});
  if (Array.isArray(schema.type))
    return union(schema.type.map((type) => typeOf({ ...schema, type }, name, blocks, quoted)));
  if (schema.properties !== undefined) {
    define(name, schema, blocks);
    return quoted ? `"${name}"` : name;
  }
  if (schema.type === 'array') {
    if (schema.prefixItems !== undefined)
      return `list[${union(schema.prefixItems.map((part) => inner(part)))}]`;
    return `list[${inner(schema.items ?? {}, 'Item')}]`;
  }
  if (schema.type === 'object') {
    const { additionalProperties: rest } = schema;
    return `dict[str, ${typeof rest === 'object' ? inner(rest, 'Value') : 'JsonValue'}]`;
  }
  return SIMPLE[schema.type ?? ''] ?? 'JsonValue';
}

function literal(values: unknown[]): string {
  const words = values.map((value) =>
    value === null ? 'None' : typeof value === 'boolean' ? (value ? 'True' : 'False') : JSON.stringify(value),
  );
  return `Literal[${words.join(', ')}]`;
}

function capitalized(key: string): string {
  return key
    .split(/\W+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
