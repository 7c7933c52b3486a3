import { isDeepStrictEqual } from 'node:util';
import type { ConflictRule, Selector } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';

/*
 * What docs/RULES.md says of two records, written from that page and with nothing of src/ but types: equality by Node's own
 * comparison, pointers by walking. Slow and plain, to hold everything else against.
 */

const NOTHING = Symbol('nothing there');
type Part = JsonValue | typeof NOTHING;

function at(pointer: string, record: JsonValue): Part {
  let part: Part = record;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replace(/~1/g, '/').replace(/~0/g, '~');
    if (typeof part !== 'object' || part === null) return NOTHING;
    const isIndex = !Array.isArray(part) || String(Math.trunc(Number(key))) === key;
    if (!isIndex || !Object.prototype.propertyIsEnumerable.call(part, key)) return NOTHING;
    part = (part as Record<string, JsonValue>)[key]!;
  }
  return part;
}

/** JSON knows one zero. */
const plain = (part: Part): Part =>
  part === NOTHING ? NOTHING : (JSON.parse(JSON.stringify(part)) as JsonValue);
const same = (a: Part, b: Part): boolean => isDeepStrictEqual(plain(a), plain(b));

function isSelected(selector: Selector, record: JsonValue): boolean {
  const part = at(selector.at ?? '', record);
  if (part === NOTHING) return false;
  if (selector.equals !== undefined) return same(part, selector.equals);
  if (selector.in !== undefined) return selector.in.some((each) => same(part, each));
  if (selector.prefix !== undefined) return typeof part === 'string' && part.indexOf(selector.prefix) === 0;
  const tests: [number | string | undefined, (end: never, own: never) => boolean][] = [
    [selector.atLeast, (end, own) => !(own < end)],
    [selector.above, (end, own) => own > end],
    [selector.atMost, (end, own) => !(own > end)],
    [selector.below, (end, own) => own < end],
  ];
  return tests.every(
    ([end, holds]) => end === undefined || (typeof end === typeof part && holds(end as never, part as never)),
  );
}

/** Whether a rule keeps two records apart. */
export function plainlyApart(rule: ConflictRule, a: JsonValue, b: JsonValue): boolean {
  const scope = rule.same === undefined ? [] : [rule.same].flat();
  for (const pointer of scope) {
    const ofA: Part = at(pointer, a);
    const ofB: Part = at(pointer, b);
    if (ofA === NOTHING || !same(ofA, ofB)) return false;
  }
  if ('alike' in rule) return !same(at(rule.alike, a), at(rule.alike, b));
  if ('distinct' in rule)
    return at(rule.distinct, a) !== NOTHING && same(at(rule.distinct, a), at(rule.distinct, b));
  if ('never' in rule) {
    const { left, right } = rule.never;
    return (isSelected(left, a) && isSelected(right, b)) || (isSelected(left, b) && isSelected(right, a));
  }
  const members = 'pair' in rule ? rule.pair : rule.group;
  const ofA: Part = at(rule.at ?? '', a);
  const ofB: Part = at(rule.at ?? '', b);
  const isMember = (part: Part) => members.some((member) => same(member, part));
  return isMember(ofA) && isMember(ofB) && !same(ofA, ofB);
}
