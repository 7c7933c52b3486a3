import { canonicalJson, type JsonValue } from '../json';
import type { Selector } from './rule';

/** A set of JSON values: all values, listed ones, or a range of numbers or of strings. */
export type ValueSet =
  { kind: 'any' } | { kind: 'listed'; values: ReadonlyMap<string, JsonValue> } | Interval;

interface Interval {
  kind: 'between';
  type: 'number' | 'string';
  low: Bound | undefined;
  high: Bound | undefined;
}

interface Bound {
  at: number | string;
  /** Whether the bound itself is excluded. */
  open: boolean;
}

/** Equal values count once. */
function listed(values: readonly JsonValue[]): ValueSet {
  return { kind: 'listed', values: new Map(values.map((value) => [canonicalJson(value), value])) };
}

/** The values that a selector selects, regardless of its pointer. Agrees with `selects`. */
export function selectedValues(selector: Selector): ValueSet {
  if (selector.equals !== undefined) return listed([selector.equals]);
  if (selector.in !== undefined) return listed(selector.in);
  if (selector.prefix !== undefined) return beginningWith(selector.prefix);
  const { atLeast, above, atMost, below } = selector;
  const low = boundOf(atLeast, above);
  const high = boundOf(atMost, below);
  const bound = low ?? high;
  if (bound === undefined) return { kind: 'any' };
  return { kind: 'between', type: typeof bound.at === 'number' ? 'number' : 'string', low, high };
}

function boundOf(closed: Bound['at'] | undefined, open: Bound['at'] | undefined): Bound | undefined {
  if (closed !== undefined) return { at: closed, open: false };
  return open === undefined ? undefined : { at: open, open: true };
}

/** Strings with a prefix are a range that ends before the first string after all of them, if there is one. */
function beginningWith(prefix: string): Interval {
  const low = { at: prefix, open: false };
  const stem = prefix.replace(/\uffff+$/, '');
  const next = stem.slice(0, -1) + String.fromCharCode(stem.charCodeAt(stem.length - 1) + 1);
  return { kind: 'between', type: 'string', low, high: stem === '' ? undefined : { at: next, open: true } };
}

/** Whether a set contains a value. */
export function holds(set: ValueSet, value: JsonValue): boolean {
  if (set.kind === 'any') return true;
  if (set.kind === 'listed') return set.values.has(canonicalJson(value));
  if (typeof value !== 'number' && typeof value !== 'string') return false;
  const point = { at: value, open: false };
  return typeof value === set.type && reaches(set.low, point, isLess) && reaches(set.high, point, isMore);
}

/** Whether a set has no values. Doesn't detect two string bounds without a string between them. */
export function isEmpty(set: ValueSet): boolean {
  if (set.kind !== 'between') return set.kind === 'listed' && set.values.size === 0;
  const { low, high } = set;
  if (high?.at === '' && high.open) return true;
  if (low === undefined || high === undefined || low.at < high.at) return false;
  return low.at > high.at || low.open || high.open;
}

/** Whether two non-empty sets have no value in common. */
export function areDisjoint(a: ValueSet, b: ValueSet): boolean {
  if (a.kind === 'any' || b.kind === 'any') return false;
  if (a.kind === 'listed') return ![...a.values.values()].some((value) => holds(b, value));
  if (b.kind === 'listed') return areDisjoint(b, a);
  const low = reaches(a.low, b.low, isLess) ? b.low : a.low;
  const high = reaches(a.high, b.high, isMore) ? b.high : a.high;
  return a.type !== b.type || isEmpty({ ...a, low, high });
}

/** Whether, at one end, a range with the bound `outer` contains a range with the bound `inner`. */
function reaches(
  outer: Bound | undefined,
  inner: Bound | undefined,
  isFurther: (a: Bound['at'], b: Bound['at']) => boolean,
): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  return isFurther(outer.at, inner.at) || (outer.at === inner.at && (inner.open || !outer.open));
}

const isLess = (a: Bound['at'], b: Bound['at']) => a < b;
const isMore = (a: Bound['at'], b: Bound['at']) => a > b;
