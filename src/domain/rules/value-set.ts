import { canonicalJson, type JsonValue } from '../json';
import type { Selector } from './rule';

/** A set of JSON values as selectors name them: all, some that are listed, or a range of numbers or of texts. */
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
  /** Whether the bound itself is left out. */
  open: boolean;
}

/** Equal values count once. */
function listed(values: readonly JsonValue[]): ValueSet {
  return { kind: 'listed', values: new Map(values.map((value) => [canonicalJson(value), value])) };
}

/** What a selector selects, wherever it looks: what `selects` tests, in a form that can be reasoned about. */
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

/** Texts with a beginning are a range: up to the first text that comes behind all of them, if there is one. */
function beginningWith(prefix: string): Interval {
  const low = { at: prefix, open: false };
  const stem = prefix.replace(/\uffff+$/, '');
  const next = stem.slice(0, -1) + String.fromCharCode(stem.charCodeAt(stem.length - 1) + 1);
  return { kind: 'between', type: 'string', low, high: stem === '' ? undefined : { at: next, open: true } };
}

export function holds(set: ValueSet, value: JsonValue): boolean {
  if (set.kind === 'any') return true;
  if (set.kind === 'listed') return set.values.has(canonicalJson(value));
  if (typeof value !== 'number' && typeof value !== 'string') return false;
  const point = { at: value, open: false };
  return typeof value === set.type && reaches(set.low, point, isLess) && reaches(set.high, point, isMore);
}

/** Whether there is no value in a set. That two texts may have none between them is not looked for. */
export function isEmpty(set: ValueSet): boolean {
  if (set.kind !== 'between') return set.kind === 'listed' && set.values.size === 0;
  const { low, high } = set;
  if (high?.at === '' && high.open) return true;
  if (low === undefined || high === undefined || low.at < high.at) return false;
  return low.at > high.at || low.open || high.open;
}

/** Whether two sets, neither of them empty, have no value in common. */
export function areDisjoint(a: ValueSet, b: ValueSet): boolean {
  if (a.kind === 'any' || b.kind === 'any') return false;
  if (a.kind === 'listed') return ![...a.values.values()].some((value) => holds(b, value));
  if (b.kind === 'listed') return areDisjoint(b, a);
  const low = reaches(a.low, b.low, isLess) ? b.low : a.low;
  const high = reaches(a.high, b.high, isMore) ? b.high : a.high;
  return a.type !== b.type || isEmpty({ ...a, low, high });
}

/** Whether a range with one bound takes in, at that end, all that one with the other does. */
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
