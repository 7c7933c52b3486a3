import type { JsonValue } from './json';

/** Matches a JSON Pointer (RFC 6901): `""`, or tokens that each start with `/`; `~` only as `~0` or `~1`. */
export const JSON_POINTER = /^(?:\/(?:[^/~]|~[01])*)*$/u;

/** Whether a text is a JSON Pointer; see {@link JSON_POINTER}. */
export function isJsonPointer(text: string): boolean {
  return JSON_POINTER.test(text);
}

/**
 * The reference tokens of a JSON Pointer, unescaped; none for `""`, the whole value.
 * Throws RangeError unless {@link isJsonPointer}; rules are validated before they get here.
 */
export function parseJsonPointer(pointer: string): string[] {
  if (!isJsonPointer(pointer)) throw new RangeError(`not a JSON Pointer: ${JSON.stringify(pointer)}`);
  // `~1` first: in the other order, `~01` would become `/` instead of `~1`.
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A key or index as a reference token: escaped, with a leading `/`. */
export function jsonPointerToken(key: string | number): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/**
 * The part of a value that the tokens point to; undefined if there is none.
 * Finds only own members of objects, and array elements by an index without leading zeros (so neither `length` nor `-`).
 */
export function valueAt(value: JsonValue, tokens: readonly string[]): JsonValue | undefined {
  let part: JsonValue | undefined = value;
  for (const token of tokens) {
    if (part === null || typeof part !== 'object') return undefined;
    if (Array.isArray(part)) part = /^(?:0|[1-9]\d*)$/.test(token) ? part[Number(token)] : undefined;
    else part = Object.hasOwn(part, token) ? part[token] : undefined;
    if (part === undefined) return undefined;
  }
  return part;
}
