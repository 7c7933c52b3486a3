import type { ConflictRule, Selector } from './index';
import { membersOf, scopeOf } from './rule';
import { areDisjoint, holds, selectedValues, type ValueSet } from './value-set';
import { canonicalJson } from '../json';

/** A rule that another rule makes redundant; both as indices. */
export interface CoveredRule {
  rule: number;
  by: number;
}

/**
 * Finds redundant rules: another single rule keeps apart all records that they do. Redundant rules are harmless, but
 * usually a mistake. Rules are compared with rules of their own kind, and with `distinct` and `alike`, so not every
 * redundant rule is found. No two of the rules that `parseConflictRules` accepts cover each other.
 */
export function coveredRules(rules: readonly ConflictRule[]): CoveredRule[] {
  const extents = rules.map(extentOf);
  return extents.flatMap((extent, rule) => {
    const by = extents.findIndex((other, index) => index !== rule && isWithin(extent, other));
    return by === -1 ? [] : [{ rule, by }];
  });
}

/** The conflicts of a rule, in a form that can be compared. */
interface Extent {
  /** Pointers at which both records must have equal values. */
  same: ReadonlySet<string>;
  about:
    | { kind: 'all' }
    | { kind: 'different'; at: string }
    | { kind: 'members'; at: string; values: ReadonlySet<string> }
    | { kind: 'sides'; sides: readonly [Side, Side] };
}

interface Side {
  at: string;
  set: ValueSet;
}

function extentOf(rule: ConflictRule): Extent {
  const same = new Set(scopeOf(rule));
  if ('distinct' in rule) return { same: same.add(rule.distinct), about: { kind: 'all' } };
  if ('alike' in rule) return { same, about: { kind: 'different', at: rule.alike } };
  if ('never' in rule) {
    const { left, right } = rule.never;
    return { same, about: { kind: 'sides', sides: [sideOf(left), sideOf(right)] } };
  }
  const { at, values } = membersOf(rule) ?? { at: '', values: [] };
  return { same, about: { kind: 'members', at, values: new Set(values.map(canonicalJson)) } };
}

function sideOf(selector: Selector): Side {
  return { at: selector.at ?? '', set: selectedValues(selector) };
}

function isWithin({ same, about }: Extent, wider: Extent): boolean {
  if (![...wider.same].every((pointer) => same.has(pointer))) return false;
  const other = wider.about;
  if (about.kind === 'members' && other.kind === 'members')
    return about.at === other.at && [...about.values].every((value) => other.values.has(value));
  if (about.kind === 'sides' && other.kind === 'sides') {
    const [left, right] = about.sides;
    const [a, b] = other.sides;
    return (isPart(left, a) && isPart(right, b)) || (isPart(left, b) && isPart(right, a));
  }
  if (other.kind === 'different') return isDifferentAt(about, other.at);
  // `distinct` keeps all records at a place apart.
  return other.kind === 'all';
}

/** Whether any two records that are kept apart differ at a pointer. Values that differ in a part differ as a whole. */
function isDifferentAt(about: Extent['about'], pointer: string): boolean {
  const isWithinIt = (at: string) => at === pointer || at.startsWith(`${pointer}/`);
  if (about.kind === 'different' || about.kind === 'members') return isWithinIt(about.at);
  if (about.kind !== 'sides') return false;
  const [left, right] = about.sides;
  return left.at === right.at && isWithinIt(left.at) && areDisjoint(left.set, right.set);
}

/** Whether `wider` selects everything that `side` does; false if that is unknown. */
function isPart(side: Side, wider: Side): boolean {
  if (side.at !== wider.at) return false;
  if (wider.set.kind === 'any') return true;
  if (side.set.kind === 'listed')
    return [...side.set.values.values()].every((value) => holds(wider.set, value));
  return side.set.kind === 'between' && canonicalText(side.set) === canonicalText(wider.set);
}

function canonicalText(set: ValueSet): string | undefined {
  if (set.kind !== 'between') return undefined;
  return JSON.stringify([set.type, set.low?.at, set.low?.open, set.high?.at, set.high?.open]);
}
