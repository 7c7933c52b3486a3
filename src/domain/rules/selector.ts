import { canonicalJson, isComposite, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';
import type { Selector } from './rule';

/** Whether a selector selects a record. */
export function selects(selector: Selector, record: JsonValue): boolean {
  return selectorOf(selector)(record);
}

/** Prepares a selector for many records. */
export function selectorOf(selector: Selector): (record: JsonValue) => boolean {
  const tokens = parseJsonPointer(selector.at ?? '');
  const holds = conditionOf(selector);
  return (record) => {
    const part = valueAt(record, tokens);
    return part !== undefined && holds(part);
  };
}

function conditionOf({ equals, in: listed, prefix, ...range }: Selector): (part: JsonValue) => boolean {
  if (equals !== undefined) return isOneOf([equals]);
  if (listed !== undefined) return isOneOf(listed);
  if (prefix !== undefined) return (part) => typeof part === 'string' && part.startsWith(prefix);
  const { atLeast, above, atMost, below } = range;
  const type = typeof (atLeast ?? above ?? atMost ?? below);
  if (type === 'undefined') return () => true;
  return (part) =>
    typeof part === type &&
    (atLeast === undefined || (part as number) >= (atLeast as number)) &&
    (above === undefined || (part as number) > (above as number)) &&
    (atMost === undefined || (part as number) <= (atMost as number)) &&
    (below === undefined || (part as number) < (below as number));
}

/** Compares like `canonicalJson`, but avoids building texts of primitive values. */
function isOneOf(values: readonly JsonValue[]): (part: JsonValue) => boolean {
  const primitives = new Set(values.filter((value) => !isComposite(value)));
  const texts = new Set(values.filter(isComposite).map(canonicalJson));
  return (part) =>
    isComposite(part) ? texts.size > 0 && texts.has(canonicalJson(part)) : primitives.has(part);
}
