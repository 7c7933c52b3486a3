import { canonicalJson, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';
import { membersOf, scopeOf, type ConflictRule, type NeverRule } from './rule';
import { areDisjoint, selectedValues, type ValueSet } from './value-set';

/**
 * What is expected instead of a rule that can never keep two records apart, because two records can't meet its
 * conditions together; undefined for other rules. Each part of the rule must be valid by itself.
 */
export function whyUnmatchable(rule: ConflictRule): string | undefined {
  for (const pointer of scopeOf(rule)) {
    const why = whyNeverEqual(rule, pointer);
    if (why !== undefined) return `in "same" ${why}`;
  }
  return undefined;
}

function whyNeverEqual(rule: ConflictRule, pointer: string): string | undefined {
  const quoted = JSON.stringify(pointer);
  if ('distinct' in rule) return undefined;
  if ('alike' in rule) {
    // Equal values have equal parts.
    if (!isWithin(rule.alike, pointer)) return undefined;
    return `a pointer to a value that can be equal in both records: records with equal values at ${quoted} also have equal values at the pointer of "alike"`;
  }
  const met = 'never' in rule ? meetingOf(rule, pointer) : meetingOfMembers(rule, pointer);
  if (met === 'nothing there')
    return `a pointer to a value that both records have: the values in the rule have nothing at ${quoted}`;
  if (met === 'never the same')
    return `a pointer to a value that can be equal in both records: records that the rule keeps apart always differ at ${quoted}`;
  return undefined;
}

/** Whether two records that a rule keeps apart can have equal values at a pointer, and if not, why. */
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
  // Different parts of a record can have any values.
  if (leftAt !== rightAt) return 'possible';
  if (isWithin(leftAt, pointer)) return areDisjoint(ofLeft, ofRight) ? 'never the same' : 'possible';
  const canMeet = !leftParts || !rightParts || leftParts.some((part) => rightParts.includes(part));
  return canMeet ? 'possible' : 'never the same';
}

/**
 * The canonical texts at `pointer` of records that have one of `values` at `at`; undefined if that could be any value.
 */
function partsBelow(values: ValueSet, at: string, pointer: string): string[] | undefined {
  if (pointer === at || !isWithin(pointer, at) || values.kind === 'any') return undefined;
  // Numbers and strings have no parts.
  return values.kind === 'between' ? [] : partsOf([...values.values.values()], pointer.slice(at.length));
}

function partsOf(values: readonly JsonValue[], pointer: string): string[] {
  const tokens = parseJsonPointer(pointer);
  const parts = values.map((value) => valueAt(value, tokens));
  return parts.filter((part): part is JsonValue => part !== undefined).map(canonicalJson);
}

/** Whether `inner` points to the same value as `outer`, or to a part of it. */
function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}
