import { canonicalJson, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';
import { membersOf, scopeOf, type ConflictRule, type NeverRule } from './rule';
import { areDisjoint, selectedValues, type ValueSet } from './value-set';

/**
 * What to write instead of a rule that keeps no two records apart, whatever records there are; undefined for one that
 * may. Each part of the rule is sound by itself: what can't be is what it asks of two records together.
 */
export function whyNever(rule: ConflictRule): string | undefined {
  for (const pointer of scopeOf(rule)) {
    const why = whyNeverSame(rule, pointer);
    if (why !== undefined) return `in "same" ${why}`;
  }
  return undefined;
}

function whyNeverSame(rule: ConflictRule, pointer: string): string | undefined {
  const quoted = JSON.stringify(pointer);
  if ('distinct' in rule) return undefined;
  if ('alike' in rule) {
    // What is the same as a whole doesn't differ in a part.
    if (!isWithin(rule.alike, pointer)) return undefined;
    return `a pointer to what can be the same in both records: what is at ${quoted} decides what "alike" looks at`;
  }
  const met = 'never' in rule ? meetingOf(rule, pointer) : meetingOfMembers(rule, pointer);
  if (met === 'nothing there')
    return `a pointer to what both records have: the values that the rule names have nothing at ${quoted}`;
  if (met === 'never the same')
    return `a pointer to what can be the same in both records: at ${quoted} what the rule keeps apart always differs`;
  return undefined;
}

/** Whether two records that a rule is about can have the same value at a pointer, and if not, why. */
type Meeting = 'possible' | 'nothing there' | 'never the same';

function meetingOfMembers(rule: ConflictRule, pointer: string): Meeting {
  const { values, at } = membersOf(rule) ?? { values: [], at: '' };
  if (isWithin(at, pointer)) return 'never the same';
  if (!isWithin(pointer, at)) return 'possible';
  const parts = partsOf(values, pointer.slice(at.length));
  if (parts.length < 2) return 'nothing there';
  return new Set(parts).size < parts.length ? 'possible' : 'never the same';
}

function meetingOf({ never: { left, right } }: NeverRule, pointer: string): Meeting {
  const [ofLeft, ofRight] = [selectedValues(left), selectedValues(right)];
  const [leftAt, rightAt] = [left.at ?? '', right.at ?? ''];
  const [leftParts, rightParts] = [
    partsBelow(ofLeft, leftAt, pointer),
    partsBelow(ofRight, rightAt, pointer),
  ];
  if (leftParts?.length === 0 || rightParts?.length === 0) return 'nothing there';
  // Of different parts of a record, each may be what it has to be.
  if (leftAt !== rightAt) return 'possible';
  if (isWithin(leftAt, pointer)) return areDisjoint(ofLeft, ofRight) ? 'never the same' : 'possible';
  const canMeet = !leftParts || !rightParts || leftParts.some((part) => rightParts.includes(part));
  return canMeet ? 'possible' : 'never the same';
}

/** What is at a pointer of records that have one of some values at another one; undefined when that is open. */
function partsBelow(values: ValueSet, at: string, pointer: string): string[] | undefined {
  if (pointer === at || !isWithin(pointer, at) || values.kind === 'any') return undefined;
  // There is nothing in numbers and texts.
  return values.kind === 'between' ? [] : partsOf([...values.values.values()], pointer.slice(at.length));
}

function partsOf(values: readonly JsonValue[], pointer: string): string[] {
  const tokens = parseJsonPointer(pointer);
  const parts = values.map((value) => valueAt(value, tokens));
  return parts.filter((part): part is JsonValue => part !== undefined).map(canonicalJson);
}

/** Whether one pointer leads to what another leads to, or into it. */
function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}
