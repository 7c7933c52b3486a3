import { canonicalJson, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';
import { membersOf, scopeOf, type ConflictRule } from './rule';
import { selectorOf } from './selector';

/**
 * What a rule assigns to a record. The rule keeps two records at the same place apart if their sides differ, or if either
 * must be alone; it doesn't keep records at different places apart. Every kind of rule can be expressed like this.
 */
export interface Place {
  place: string;
  side: string | typeof ALONE;
}

/** The side of a record that must be alone at its place. */
export const ALONE = null;

/** The side of records that have no value where `alike` points. Differs from all others, as no JSON text is empty. */
const NOTHING = '';

/** Prepares a rule: returns a function that gives the place of a record, or undefined if the rule doesn't apply to it. */
export function placesUnder(rule: ConflictRule): (record: JsonValue) => Place | undefined {
  const sideOf = sidesUnder(rule);
  const scope = scopeOf(rule)
    .concat('distinct' in rule ? rule.distinct : [])
    .map(parseJsonPointer);
  return (record) => {
    const side = sideOf(record);
    if (side === undefined) return undefined;
    const parts = scope.map((tokens) => valueAt(record, tokens));
    return parts.includes(undefined) ? undefined : { place: canonicalJson(parts as JsonValue[]), side };
  };
}

function sidesUnder(rule: ConflictRule): (record: JsonValue) => Place['side'] | undefined {
  if ('distinct' in rule) return () => ALONE;
  if ('alike' in rule) {
    const tokens = parseJsonPointer(rule.alike);
    return (record) => {
      const part = valueAt(record, tokens);
      return part === undefined ? NOTHING : canonicalJson(part);
    };
  }
  if ('never' in rule) {
    const isLeft = selectorOf(rule.never.left);
    const isRight = selectorOf(rule.never.right);
    return (record) => {
      const left = isLeft(record);
      return isRight(record) ? (left ? ALONE : 'right') : left ? 'left' : undefined;
    };
  }
  const { values, at } = membersOf(rule) ?? { values: [], at: '' };
  const tokens = parseJsonPointer(at);
  const members = new Set(values.map(canonicalJson));
  return (record) => {
    const part = valueAt(record, tokens);
    const text = part === undefined ? undefined : canonicalJson(part);
    return text !== undefined && members.has(text) ? text : undefined;
  };
}
