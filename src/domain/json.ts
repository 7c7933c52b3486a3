/** A value that survives a round trip through JSON unchanged: the only kind of value a record may hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/**
 * The text that equal JSON values share: object keys in code-unit order, no white space.
 * Key order doesn't matter, `1` and `1.0` are the same number, `1` and `"1"` are not, `-0` is `0`.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as JsonValue)}`);
  return `{${members.join(',')}}`;
}

/** Size of a text in bytes when encoded as UTF-8. Pure, so that workflow code may use it. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}

/** Size of a value in bytes as compact JSON in UTF-8: how every byte limit of this project is counted. */
export function jsonBytes(value: JsonValue): number {
  return utf8Bytes(JSON.stringify(value));
}

/** Whether it has parts: what has none is equal to another by `===`, and needs no canonical text. */
export function isComposite(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null;
}

/** Whether a value has more levels of lists and objects than this. Looks no deeper, so that no depth is too much for it. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

/** Whether something is an object with keys: neither a list nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
