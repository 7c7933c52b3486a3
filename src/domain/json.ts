/** A value that survives a round trip through JSON unchanged; the value of a record is one. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/**
 * A text that is the same for two JSON values exactly if they are equal: object keys in code-unit order, no white space.
 * Key order doesn't matter, `1` equals `1.0` but not `"1"`, and `-0` equals `0`.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as JsonValue)}`);
  return `{${members.join(',')}}`;
}

/** Size of a text in UTF-8, in bytes. Without `Buffer`, because workflow code and browsers use it. */
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

/** Size of a value as compact JSON in UTF-8, in bytes. All byte limits of records and buffers are counted like this. */
export function jsonBytes(value: JsonValue): number {
  return utf8Bytes(JSON.stringify(value));
}

/** Whether a value is an array or object. Other values are compared by `===` and need no canonical text. */
export function isComposite(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null;
}

/** Whether a value nests arrays and objects deeper than `levels`. Stops there, so that no value overflows the stack. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

/** Whether a value is an object other than an array or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
