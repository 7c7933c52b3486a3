import { membersOf as valuesOf, pointerOf, type ConflictRule } from '../conflict-rules';
import { canonicalJson, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';

/**
 * Where a rule puts a record. Two records at one place are kept apart if their sides differ, or if either stands alone;
 * records at different places are not. This is what every kind of rule comes down to.
 */
export interface Place {
  place: string;
  side: string | typeof ALONE;
}

/** The side of a record that shares its place with no other. */
export const ALONE = null;

export function membersOf(rule: ConflictRule): { values: readonly JsonValue[]; at: string } | undefined {
  const values = valuesOf(rule);
  return values && { values, at: pointerOf(rule) };
}

/** Makes ready to tell where a rule puts records; nowhere when it doesn't apply to one. */
export function placesUnder(rule: ConflictRule): (record: JsonValue) => Place | undefined {
  const tokens = parseJsonPointer(pointerOf(rule));
  const members = valuesOf(rule)?.map(canonicalJson);
  return (record) => {
    const part = valueAt(record, tokens);
    if (part === undefined) return undefined;
    const text = canonicalJson(part);
    if (members === undefined) return { place: `[${text}]`, side: ALONE };
    return members.includes(text) ? { place: '[]', side: text } : undefined;
  };
}
