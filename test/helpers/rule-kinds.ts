import type { ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';
import type { Random } from '../chaos/random';

/** Rules of one kind, or a mix, and values that they apply to. */
export interface RuleKind {
  name: string;
  rules: ConflictRule[];
  value: (random: Random) => JsonValue;
}

const pairs = (...of: [number, number][]): ConflictRule[] => of.map((pair) => ({ pair }));

/** Every kind of rule, alone and with others; the conflicts of the first ones have a structure to exploit. */
export const RULE_KINDS: readonly RuleKind[] = [
  { name: 'no rules', rules: [], value: (random) => random.integer(0, 9) },
  { name: 'a pair', rules: [{ pair: [1, 2] }], value: (random) => random.integer(0, 4) },
  { name: 'a group', rules: [{ group: [0, 1, 2, 3] }], value: (random) => random.integer(0, 6) },
  { name: 'a distinct', rules: [{ distinct: '/id' }], value: (random) => ({ id: random.integer(0, 6) }) },
  {
    name: 'a distinct within what is the same',
    rules: [{ distinct: '/id', same: ['/day', '/zone'] }],
    value: (random) => ({
      id: random.integer(0, 3),
      day: random.integer(0, 2),
      zone: random.pick(['a', 'b']),
    }),
  },
  {
    name: 'one selection never beside another',
    rules: [{ never: { left: { at: '/tenant', equals: 'A' }, right: { at: '/tenant', in: ['B', 'C'] } } }],
    value: (random) => ({ tenant: random.pick(['A', 'B', 'C', 'D']) }),
  },
  {
    name: 'debits and credits of one account',
    rules: [
      {
        never: { left: { at: '/type', prefix: 'debit' }, right: { at: '/type', prefix: 'credit' } },
        same: '/account',
      },
    ],
    value: (random) => ({
      type: random.pick(['debit', 'debit:cash', 'credit', 'note']),
      account: random.integer(0, 4),
    }),
  },
  {
    name: 'disjoint pairs',
    rules: pairs([0, 1], [2, 3], [4, 5]),
    value: (random) => random.integer(0, 7),
  },
  {
    name: 'a ring of pairs',
    rules: pairs([0, 1], [1, 2], [2, 3], [3, 4], [4, 0]),
    value: (random) => random.integer(0, 6),
  },
  {
    name: 'two groups',
    rules: [{ group: [0, 1, 2] }, { group: [3, 4, 5] }],
    value: (random) => random.integer(0, 7),
  },
  {
    name: 'a group within what is the same',
    rules: [{ group: ['a', 'b', 'c'], at: '/type', same: '/day' }],
    value: (random) => ({ type: random.pick(['a', 'b', 'c']), day: random.integer(0, 3) }),
  },
  {
    name: 'selections that overlap',
    rules: [
      { never: { left: { atLeast: 3, below: 7 }, right: { atLeast: 6 } } },
      { never: { left: { below: 2 }, right: { above: 4, atMost: 7 } } },
    ],
    value: (random) => random.integer(0, 10),
  },
  {
    name: 'a group and a distinct',
    rules: [{ group: ['a', 'b', 'c'], at: '/type' }, { distinct: '/id' }],
    value: (random) => ({ type: random.pick(['a', 'b', 'c', 'd']), id: random.integer(0, 6) }),
  },
  {
    name: 'two distincts',
    rules: [{ distinct: '/id' }, { distinct: '/email' }],
    value: (random) => ({ id: random.integer(0, 6), email: random.integer(0, 6) }),
  },
  {
    name: 'alike',
    rules: [{ alike: '/tenant' }],
    value: (random) => random.pick([{ tenant: 1 }, { tenant: 2 }, { tenant: null }, {}, 'none']),
  },
  {
    name: 'alike and a distinct',
    rules: [{ alike: '/tenant' }, { distinct: '/id' }],
    value: (random) => ({ tenant: random.integer(0, 3), id: random.integer(0, 4) }),
  },
  {
    name: 'alike and a pair within it',
    rules: [{ alike: '/tenant' }, { pair: [1, 2], at: '/id' }],
    value: (random) => ({ tenant: random.integer(0, 3), id: random.integer(0, 4) }),
  },
  {
    name: 'alike within what is the same',
    rules: [{ alike: '/tenant', same: '/region' }],
    value: (random) => ({ tenant: random.integer(0, 3), region: random.integer(0, 3) }),
  },
  {
    name: 'one rule of each kind',
    rules: [
      { pair: [1, 2], at: '/id' },
      { group: ['a', 'b'], at: '/type', same: '/day' },
      { distinct: '/id' },
      { alike: '/type', same: '/id' },
      { never: { left: { at: '/id', below: 3 }, right: { at: '/type', prefix: 'c' } } },
    ],
    value: (random) => ({
      type: random.pick(['a', 'b', 'c', 'd']),
      day: random.integer(0, 3),
      id: random.integer(0, 9),
    }),
  },
];
