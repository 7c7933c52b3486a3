import fc from 'fast-check';
import { parseConflictRules, type ConflictRule, type Selector } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';

/** What a record looks like to `partition`, with something to tell equal ones apart. */
export interface TestRecord {
  recordId: string;
  value: JsonValue;
}

/** Any JSON value. */
export const anyJson: fc.Arbitrary<JsonValue> = jsonValues();

/** Values as they come out of JSON: `-0` goes in, `0` comes out. */
export function jsonValues(constraints?: fc.JsonSharedConstraints): fc.Arbitrary<JsonValue> {
  return fc.jsonValue(constraints).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
}

/** Values some of which are nearly the same, and some the same but written otherwise. */
export const similarValues: readonly JsonValue[] = [
  ...[1, 2, 3, '1', 0, -0, null, 'null', true, '', [], {}, [1, 2], [2, 1], '[1,2]'],
  ...[{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 1, b: '2' }, '{"a":1,"b":2}'],
];

/** Few different values, so that rules find them. */
export const fewJson: fc.Arbitrary<JsonValue> = fc.constantFrom(...similarValues);

/** Objects in which the pointers of {@link pointer} find something, and often the same. */
const fewObjects: fc.Arbitrary<JsonValue> = fc.record(
  {
    id: fc.constantFrom(1, 2, 3, 4),
    type: fc.constantFrom('a', 'b', 'c'),
    tags: fc.array(fewJson, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** Record values: mostly out of few. */
export const recordValue: fc.Arbitrary<JsonValue> = fc.oneof(
  { arbitrary: fewJson, weight: 3 },
  { arbitrary: fewObjects, weight: 3 },
  { arbitrary: anyJson, weight: 1 },
);

/** Turns values into records, oldest first. */
export function recordsOf(values: readonly JsonValue[]): TestRecord[] {
  return values.map((value, index) => ({ recordId: `request:${index}`, value }));
}

export function records(
  value: fc.Arbitrary<JsonValue>,
  constraints: fc.ArrayConstraints,
): fc.Arbitrary<TestRecord[]> {
  return fc.array(value, constraints).map(recordsOf);
}

/** So few records that they can be partitioned by exhaustive search. */
export const fewRecordValues: fc.Arbitrary<JsonValue[]> = fc.array(recordValue, { maxLength: 8 });

/** Pointers that find something in many a {@link recordValue}. */
export const pointer: fc.Arbitrary<string> = fc.constantFrom(
  '',
  '/id',
  '/type',
  '/tags',
  '/tags/0',
  '/a',
  '/none',
);

const memberValue = fc.oneof(fewJson, fc.constantFrom<JsonValue[]>(4, 'a', 'b', 'c'));

/** Exactly the rules that `parseConflictRules` accepts. */
function accepted(rules: readonly unknown[]): boolean {
  return parseConflictRules(rules).problems.length === 0;
}

/** What a selector may ask of a part; some of it can't be. */
const condition: fc.Arbitrary<Selector> = fc.oneof(
  memberValue.map((equals) => ({ equals })),
  fc.array(memberValue, { minLength: 1, maxLength: 4 }).map((listed) => ({ in: listed })),
  fc.constantFrom('1', 'a', '[', '{"a', '\uffff').map((prefix) => ({ prefix })),
  range(fc.integer({ min: 0, max: 4 })),
  range(fc.constantFrom('', '1', 'a', 'b', 'bb')),
);

/** From no bound at all to two, which may hold nothing between them. */
function range(bound: fc.Arbitrary<number | string>): fc.Arbitrary<Selector> {
  return fc.oneof(
    fc.record({ atLeast: bound, atMost: bound }, { requiredKeys: [] }),
    fc.record({ above: bound, below: bound }, { requiredKeys: [] }),
  );
}

export const selector: fc.Arbitrary<Selector> = fc
  .tuple(fc.option(pointer, { nil: undefined }), condition)
  .map(([at, asked]) => (at === undefined ? asked : { at, ...asked }));

/** `same` as it may stand beside every rule; mostly it doesn't. */
const scope = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: pointer.map((same) => ({ same })) },
  { weight: 1, arbitrary: fc.uniqueArray(pointer, { minLength: 1, maxLength: 2 }).map((same) => ({ same })) },
);

/** Rules that have the form of one, but may have no meaning. */
export const shapedRule: fc.Arbitrary<ConflictRule> = fc
  .tuple(
    fc.oneof<fc.Arbitrary<ConflictRule>[]>(
      fc.record({ pair: fc.tuple(memberValue, memberValue), at: pointer }, { requiredKeys: ['pair'] }),
      fc.record(
        { group: fc.array(memberValue, { minLength: 2, maxLength: 5 }), at: pointer },
        { requiredKeys: ['group'] },
      ),
      fc.record({ distinct: pointer }),
      fc.record({ alike: pointer }),
      fc.record({ never: fc.record({ left: selector, right: selector }) }),
    ),
    scope,
  )
  .map(([rule, same]) => ({ ...rule, ...same }));

export const conflictRule: fc.Arbitrary<ConflictRule> = shapedRule.filter((rule) => accepted([rule]));

/** Any mix of rules. */
export const conflictRules: fc.Arbitrary<ConflictRule[]> = fc
  .array(conflictRule, { maxLength: 5 })
  .filter((rules) => accepted(rules));
