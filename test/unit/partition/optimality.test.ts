import type { ConflictRule } from '../../../src/domain/rules';
import { parseConflictRules } from '../../../src/domain/rules';
import { explainRecord } from '../../../src/domain/explain';
import type { JsonValue } from '../../../src/domain/json';
import { partition } from '../../../src/domain/partition';
import { createRandom, type Random } from '../../chaos/random';
import { fewestByCounting } from '../../helpers/inclusion-exclusion';
import { plainlyApart } from '../../helpers/plain-rules';
import { RULE_KINDS } from '../../helpers/rule-kinds';

/*
 * Held against an exact solver that shares nothing with the partitioner, from rules read by a second reading of
 * docs/RULES.md. A few hundred instances in the suite; ten thousand:
 *
 *   KEEPAPART_INSTANCES=10000 npx jest test/unit/partition/optimality
 */
const INSTANCES = Number(process.env['KEEPAPART_INSTANCES'] ?? 600);

interface Instance {
  kind: string;
  rules: readonly ConflictRule[];
  values: JsonValue[];
  maxBatchSize: number;
}

const POINTERS = ['', '/a', '/b', '/c'];

function anyValue(random: Random): JsonValue {
  const value: { [key: string]: JsonValue } = {};
  for (const key of ['a', 'b', 'c'])
    if (random.next() < 0.8) value[key] = random.pick<JsonValue>([1, 2, 3, 'x', 'xy', null]);
  return random.next() < 0.1 ? random.integer(0, 3) : value;
}

/** Rules of all kinds, which may have nothing to do with each other. */
function anyRules(random: Random): ConflictRule[] {
  const one = (): unknown => {
    const at = random.pick(POINTERS);
    const member = () => random.pick<JsonValue>([1, 2, 3, 'x', 'xy', null]);
    const selector = () =>
      random.pick<object>([
        { at, equals: member() },
        { at: random.pick(POINTERS), in: [1, 'x'] },
        { at, atLeast: random.integer(0, 4) },
        { at, prefix: 'x' },
        { at },
      ]);
    const rule = random.pick<object>([
      { pair: [member(), member()], at },
      { group: [1, 2, 'x'], at },
      { distinct: at },
      { alike: at },
      { never: { left: selector(), right: selector() } },
    ]);
    return random.next() < 0.3 ? { ...rule, same: random.pick(POINTERS) } : rule;
  };
  for (;;) {
    const { rules, problems } = parseConflictRules(Array.from({ length: random.integer(1, 4) }, one));
    if (problems.length === 0) return rules;
  }
}

function instanceOf(random: Random, number: number): Instance {
  const kind = RULE_KINDS[number % (2 * RULE_KINDS.length)];
  const rules = kind?.rules ?? anyRules(random);
  const values = Array.from({ length: random.integer(3, 11) }, () => (kind?.value ?? anyValue)(random));
  return { kind: kind?.name ?? 'any rules', rules, values, maxBatchSize: random.integer(1, 6) };
}

test(
  `finds the fewest batches of ${INSTANCES} small instances of every kind of rule, and says rightly what is proved`,
  () => {
    const random = createRandom(Number(process.env['KEEPAPART_SEED'] ?? 11));
    for (let number = 0; number < INSTANCES; number++) {
      const { kind, rules, values, maxBatchSize } = instanceOf(random, number);
      const context = JSON.stringify({ number, kind, rules, values, maxBatchSize });
      const isApart = (a: number, b: number) =>
        rules.some((rule) => plainlyApart(rule, values[a]!, values[b]!));
      const fewest = fewestByCounting(values.length, isApart, maxBatchSize);

      const records = values.map((value, index) => ({ value, index }));
      const { batches, lowerBound, isProved } = partition(records, { rules, maxBatchSize });
      const indices = batches.map((batch) => batch.map(({ index }) => index));
      const sorted = indices.flat().sort((a, b) => a - b);
      expect([context, sorted]).toEqual([context, [...values.keys()]]);
      for (const batch of indices) {
        expect(batch.length).toBeLessThanOrEqual(maxBatchSize);
        expect([context, batch.filter((a) => batch.some((b) => a !== b && isApart(a, b)))]).toEqual([
          context,
          [],
        ]);
      }
      expect([context, batches.length, lowerBound, isProved]).toEqual([context, fewest, fewest, true]);

      // Why a record is where it is, told of the last one of the last batch.
      const last = batches.at(-1)?.at(-1);
      const told = last === undefined ? [] : explainRecord(batches, last, { rules, maxBatchSize });
      expect([context, told.map(({ why }) => why)]).toEqual([
        context,
        indices.slice(0, -1).map((batch) => {
          if (batch.some((other) => isApart(other, last!.index))) return 'rules';
          return batch.length === maxBatchSize ? 'full' : 'spread';
        }),
      ]);
    }
  },
  60_000 + 200 * INSTANCES,
);
