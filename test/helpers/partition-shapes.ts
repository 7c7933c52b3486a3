import type { ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';
import { createRandom, type Random } from '../chaos/random';

/** Rules, and values for a number of records that are hard to cut under them. */
export interface Shape {
  name: string;
  maxBatchSize: number;
  rules: ConflictRule[];
  /** @param size how many records there are in all */
  value: (random: Random, size: number) => JsonValue;
}

export function recordsOfShape({ value }: Shape, size: number, seed = 1): { value: JsonValue }[] {
  const random = createRandom(seed);
  return Array.from({ length: size }, () => ({ value: value(random, size) }));
}

function pairs(...of: readonly (readonly [number, number])[]): ConflictRule[] {
  return of.map(([a, b]) => ({ pair: [a, b] }));
}

function randomPairs(count: number, values: number): ConflictRule[] {
  const random = createRandom(5);
  const known = new Map<string, [number, number]>();
  while (known.size < count) {
    const [a, b] = [random.integer(0, values), random.integer(0, values)];
    if (a !== b) known.set(`${Math.min(a, b)} ${Math.max(a, b)}`, [a, b]);
  }
  return pairs(...known.values());
}

const RING = [0, 1, 2, 3, 4].map((each) => [each, (each + 1) % 5] as const);

/** A graph without triangles that takes four colours (Grötzsch): outer ring, inner points, and one in the middle. */
const GROETZSCH = [
  ...RING,
  ...RING.flatMap(([a, b]) => [[a, b + 5] as const, [b, a + 5] as const]),
  ...[5, 6, 7, 8, 9].map((inner) => [inner, 10] as const),
];

const DEBITS_AND_CREDITS: ConflictRule = {
  never: { left: { at: '/side', equals: 'debit' }, right: { at: '/side', equals: 'credit' } },
  same: '/account',
};

/**
 * Shapes that are slow, or were: one for each way of the partitioner, and for each table it has, what makes it longest.
 */
export const SHAPES: readonly Shape[] = [
  { name: 'no rules', maxBatchSize: 5, rules: [], value: (random, size) => random.integer(0, size) },
  {
    name: 'a ring of five pairs in large batches',
    maxBatchSize: 1000,
    rules: pairs(...RING),
    value: (random) => random.integer(0, 5),
  },
  {
    name: 'a Grötzsch graph of pairs in large batches',
    maxBatchSize: 1000,
    rules: pairs(...GROETZSCH),
    value: (random) => random.integer(0, 11),
  },
  {
    name: 'a Grötzsch graph of pairs',
    maxBatchSize: 5,
    rules: pairs(...GROETZSCH),
    value: (random) => random.integer(0, 11),
  },
  {
    name: '1,000 random pairs over 200 values',
    maxBatchSize: 5,
    rules: randomPairs(1000, 200),
    value: (random) => random.integer(0, 200),
  },
  {
    name: '3,000 random pairs over 2,000 values',
    maxBatchSize: 5,
    rules: randomPairs(3000, 2000),
    value: (random) => random.integer(0, 2000),
  },
  {
    name: 'debits and credits of many accounts in large batches',
    maxBatchSize: 1000,
    rules: [DEBITS_AND_CREDITS],
    value: (random, size) => ({
      side: random.pick(['debit', 'credit']),
      account: Math.floor(size * random.next() ** 3),
    }),
  },
  {
    name: 'debits and credits, and a distinct',
    maxBatchSize: 5,
    rules: [DEBITS_AND_CREDITS, { distinct: '/id' }],
    value: (random, size) => ({
      side: random.pick(['debit', 'credit']),
      account: random.integer(0, size / 3),
      id: random.integer(0, size),
    }),
  },
  {
    name: 'a pair, a distinct and a never together',
    maxBatchSize: 5,
    rules: [
      { pair: [1, 2], at: '/type' },
      { distinct: '/customer' },
      { never: { left: { at: '/tenant', equals: 'A' }, right: { at: '/tenant', equals: 'B' } } },
    ],
    value: (random, size) => ({
      type: random.integer(0, 10),
      customer: random.integer(0, size / 5),
      tenant: random.pick(['A', 'B', 'C']),
    }),
  },
  {
    name: 'two groups, a distinct and a never that overlap',
    maxBatchSize: 5,
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
  {
    name: 'two distincts of few values',
    maxBatchSize: 5,
    rules: [{ distinct: '/a' }, { distinct: '/b' }],
    value: (random) => ({ a: random.integer(0, 100), b: random.integer(0, 100) }),
  },
  {
    name: 'three distincts of values that occur five times',
    maxBatchSize: 20,
    rules: [{ distinct: '/a' }, { distinct: '/b' }, { distinct: '/c' }],
    value: (random, size) => ({
      a: random.integer(0, size / 5),
      b: random.integer(0, size / 5),
      c: random.integer(0, size / 5),
    }),
  },
  {
    name: 'groups of nine at ten places',
    maxBatchSize: 5,
    rules: Array.from({ length: 10 }, (_, at) => ({ group: [0, 1, 2, 3, 4, 5, 6, 7, 8], at: `/${at}` })),
    value: (random) => Array.from({ length: 10 }, () => random.integer(0, 10)),
  },
  {
    name: '400 nested ranges',
    maxBatchSize: 5,
    rules: Array.from({ length: 400 }, (_, i) => ({
      never: { left: { atLeast: i, below: i + 400 }, right: { atLeast: 1600 - 2 * i } },
    })),
    value: (random) => random.integer(0, 2000),
  },
  {
    name: 'pairs at 1,000 pointers',
    maxBatchSize: 5,
    rules: Array.from({ length: 1000 }, (_, i) => ({ pair: [1, 2], at: `/${i}` })),
    value: (random) => ({ [random.integer(0, 1000)]: random.integer(1, 4) }),
  },
  {
    // Found by `npm run bench -- partition --climb`.
    name: '400 selections within what is the same, in large batches',
    maxBatchSize: 1000,
    rules: Array.from({ length: 400 }, (_, i) => ({
      never: { left: { at: '/0', atLeast: 10 * i }, right: { at: '/1', atLeast: 4 * i } },
      same: '/0',
    })),
    value: (random, size) => [random.integer(0, size / 2), Math.floor(2000 * random.next() ** 2)],
  },
  {
    name: 'alike, of many tenants with a distinct and a pair',
    maxBatchSize: 5,
    rules: [{ alike: '/tenant' }, { distinct: '/id' }, { pair: [1, 2], at: '/kind' }],
    value: (random, size) => ({
      tenant: random.integer(0, size / 8),
      id: random.integer(0, 5),
      kind: random.integer(0, 4),
    }),
  },
  {
    name: 'alike, of tenants of all sizes, in large batches',
    maxBatchSize: 450,
    rules: [{ alike: '' }],
    value: (random, size) => Math.floor(Math.sqrt(size) * random.next() ** 2),
  },
  {
    name: 'alike within what is the same',
    maxBatchSize: 5,
    rules: [{ alike: '/tenant', same: '/region' }],
    value: (random, size) => ({ tenant: random.integer(0, 20), region: random.integer(0, size / 50) }),
  },
];
