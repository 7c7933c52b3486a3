import type { ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';
import { partition } from '../../src/domain/partition';
import { createRandom, type Random } from '../../test/chaos/random';
import { markdownTable, median } from '../harness/figures';

interface SpeedCell {
  name: string;
  records: number;
  rules: ConflictRule[];
  value: (random: Random) => JsonValue;
}

const MANY = 100_000;

/** The rules that are common, one kind each, and a mix in which most records conflict with many others. */
const CELLS: readonly SpeedCell[] = [
  { name: 'no rules', records: MANY, rules: [], value: (random) => random.integer(0, MANY) },
  { name: 'a pair', records: MANY, rules: [{ pair: [1, 2] }], value: (random) => random.integer(0, 10) },
  {
    name: 'a group of 10',
    records: MANY,
    rules: [{ group: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }],
    value: (random) => random.integer(0, 20),
  },
  {
    name: 'distinct, each value about 1,000 times',
    records: MANY,
    rules: [{ distinct: '/id' }],
    value: (random) => ({ id: random.integer(0, 100) }),
  },
  {
    name: 'distinct, each value about twice',
    records: MANY,
    rules: [{ distinct: '/id' }],
    value: (random) => ({ id: random.integer(0, MANY / 2) }),
  },
  {
    name: 'A never beside B',
    records: MANY,
    rules: [{ never: { left: { at: '/tenant', equals: 'A' }, right: { at: '/tenant', equals: 'B' } } }],
    value: (random) => ({ tenant: random.pick(['A', 'B', 'C', 'D']) }),
  },
  {
    name: '1,000 pairs',
    records: MANY,
    rules: Array.from({ length: 1000 }, (_, i) => ({ pair: [2 * i, 2 * i + 1] })),
    value: (random) => random.integer(0, 4000),
  },
  {
    name: 'debits never beside credits of the same account',
    records: MANY,
    rules: [
      {
        never: { left: { at: '/side', equals: 'debit' }, right: { at: '/side', equals: 'credit' } },
        same: '/account',
      },
    ],
    value: (random) => ({
      side: random.pick(['debit', 'credit', 'neither']),
      account: random.integer(0, MANY / 20),
    }),
  },
  {
    name: 'a pair, a distinct and a never together',
    records: MANY,
    rules: [
      { pair: [1, 2], at: '/type' },
      { distinct: '/customer' },
      { never: { left: { at: '/tenant', equals: 'A' }, right: { at: '/tenant', equals: 'B' } } },
    ],
    value: (random) => ({
      type: random.integer(0, 10),
      customer: random.integer(0, MANY / 5),
      tenant: random.pick(['A', 'B', 'C']),
    }),
  },
  {
    name: 'dense: two groups, a distinct and a never that overlap',
    records: 10_000,
    rules: [
      { group: ['a', 'b', 'c', 'd'], at: '/type' },
      { group: [0, 1, 2, 3, 4], at: '/zone' },
      { distinct: '/id' },
      { never: { left: { at: '/zone', atLeast: 3 }, right: { at: '/type', in: ['a', 'b'] } } },
    ],
    value: (random) => ({
      type: random.pick(['a', 'b', 'c', 'd', 'e']),
      zone: random.integer(0, 6),
      id: random.integer(0, 500),
    }),
  },
];

/** Times the partitioner under common rules: the median, the least and the most of some runs after some to warm up. */
export function renderSpeed(runs: number): string {
  const rows = CELLS.map(({ name, records: count, rules, value }) => {
    const random = createRandom(1);
    const records = Array.from({ length: count }, () => ({ value: value(random) }));
    const cut = () => {
      const startedAtMs = performance.now();
      const result = partition(records, { rules, maxBatchSize: 5 });
      return { ms: performance.now() - startedAtMs, ...result };
    };
    for (let run = 0; run < 3; run++) cut();
    const results = Array.from({ length: runs }, cut);
    const times = results.map(({ ms }) => ms);
    const [{ batches, lowerBound }] = results as [ReturnType<typeof cut>];
    if (batches.flat().length !== count) throw new Error(`records are missing under ${name}`);
    return [
      ...[name, String(count), String(batches.length), String(lowerBound)],
      ...[median(times), Math.min(...times), Math.max(...times)].map((ms) => ms.toFixed(0)),
    ];
  });
  return markdownTable(['rules', 'records', 'batches', 'bound', 'ms', 'least', 'most'], rows);
}
