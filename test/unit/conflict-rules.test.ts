import fc from 'fast-check';
import {
  conflictingRules,
  conflicts,
  parseConflictRules,
  type ConflictRule,
} from '../../src/domain/conflict-rules';
import type { JsonValue } from '../../src/domain/json';
import { conflictRules, recordValue } from '../helpers/arbitraries';

describe('conflicts', () => {
  const pair: ConflictRule[] = [{ pair: [1, 2] }];

  test('keeps the two values of a pair apart, in either order, and nothing else', () => {
    expect(conflicts(1, 2, pair)).toBe(true);
    expect(conflicts(2, 1, pair)).toBe(true);
    expect(conflicts(1, 1, pair)).toBe(false);
    expect(conflicts(1, 3, pair)).toBe(false);
    expect(conflicts(3, 4, pair)).toBe(false);
  });

  test('goes by JSON equality: neither type nor nesting is overlooked, key order and notation are', () => {
    expect(conflicts('1', 2, pair)).toBe(false);
    expect(conflicts([1], 2, pair)).toBe(false);
    expect(conflicts(JSON.parse('1.0') as JsonValue, 2, pair)).toBe(true);
    expect(conflicts({ b: 2, a: 1 }, null, [{ pair: [null, { a: 1, b: 2 }] }])).toBe(true);
    expect(conflicts({ b: 2, a: 1 }, { a: 1, b: 2 }, [{ distinct: '' }])).toBe(true);
    expect(conflicts({ a: 1 }, { a: '1' }, [{ distinct: '/a' }])).toBe(false);
  });

  test('keeps any two different members of a group apart', () => {
    const group: ConflictRule[] = [{ group: ['a', 'b', 'c'] }];
    expect(conflicts('a', 'c', group)).toBe(true);
    expect(conflicts('c', 'b', group)).toBe(true);
    expect(conflicts('a', 'a', group)).toBe(false);
    expect(conflicts('a', 'd', group)).toBe(false);
  });

  test('compares the part that the pointer finds, and leaves records alone in which it finds none', () => {
    const rules: ConflictRule[] = [{ pair: ['debit', 'credit'], at: '/entries/0' }];
    expect(conflicts({ entries: ['debit'] }, { entries: ['credit', 1], id: 2 }, rules)).toBe(true);
    expect(conflicts({ entries: ['debit'] }, { entries: [] }, rules)).toBe(false);
    expect(conflicts('debit', 'credit', rules)).toBe(false);
    expect(conflicts({}, {}, [{ distinct: '/id' }])).toBe(false);
    expect(conflicts({ id: null }, { id: null }, [{ distinct: '/id' }])).toBe(true);
  });

  test('is symmetric, and true exactly when some rule is named', () => {
    fc.assert(
      fc.property(recordValue, recordValue, conflictRules, (a, b, rules) => {
        const named = conflictingRules(a, b, rules);
        expect(conflictingRules(b, a, rules)).toEqual(named);
        expect(conflicts(a, b, rules)).toBe(named.length > 0);
      }),
    );
  });

  test('names every rule that keeps two records apart, and only those', () => {
    const rules: ConflictRule[] = [
      { pair: [1, 3] },
      { group: [1, 2, 3] },
      { distinct: '' },
      { pair: [2, 1], at: '' },
    ];
    expect(conflictingRules(1, 2, rules)).toEqual([1, 3]);
    expect(conflictingRules(1, 1, rules)).toEqual([2]);
    expect(conflictingRules(1, 4, rules)).toEqual([]);
  });
});

describe('parseConflictRules', () => {
  test.each<[string, unknown[]]>([
    ['no rule', []],
    ['the default', [{ pair: [1, 2] }]],
    ['every kind', [{ pair: [1, 2], at: '/a' }, { group: [1, '1', null, [], {}] }, { distinct: '' }]],
    ['the same members at different pointers', [{ pair: [1, 2] }, { pair: [1, 2], at: '/a' }]],
    ['a pair out of a group', [{ pair: [1, 2] }, { group: [1, 2, 3] }]],
    ['escaped pointers', [{ distinct: '/a~1b~0c/0' }, { distinct: '/' }]],
  ])('accepts %s', (_, input) => {
    expect(parseConflictRules(input)).toEqual({ rules: input, problems: [] });
  });

  test.each<[string, unknown, string, string, string]>([
    ['what is not an array', { pair: [1, 2] }, '', 'an array of rules', '{"pair":[1,2]} (object)'],
    ['nothing at all', undefined, '', 'an array of rules', 'nothing'],
    ['a rule that is not an object', [[1, 2]], '/0', 'exactly one of pair, group, distinct', '[1,2] (array)'],
    ['null as a rule', [null], '/0', 'exactly one of pair, group, distinct', 'null'],
    ['an empty rule', [{}], '/0', 'exactly one of pair, group, distinct', '{} (object)'],
    [
      'two kinds in one rule',
      [{ pair: [1, 2], distinct: '' }],
      '/0',
      'exactly one of pair, group, distinct',
      '{"pair":[1,2],"distinct":""} (object)',
    ],
    [
      'an unknown key',
      [{ pair: [1, 2], 'a/b': 3 }],
      '/0/a~1b',
      'only the keys pair, group, distinct, at',
      '3 (number)',
    ],
    ['a pair of one', [{ pair: [1] }], '/0/pair', 'exactly two values', '[1] (array)'],
    ['a pair of three', [{ pair: [1, 2, 3] }], '/0/pair', 'exactly two values', '[1,2,3] (array)'],
    ['a pair that is no array', [{ pair: '12' }], '/0/pair', 'exactly two values', '"12" (string)'],
    [
      'a pair of equal values',
      [{ pair: [1, 1] }],
      '/0/pair',
      'use {"distinct":"<pointer>"}',
      '[1,1] (array)',
    ],
    [
      'a pair of values that are equal as JSON',
      [
        {
          pair: [
            { a: 1, b: 2 },
            { b: 2, a: 1 },
          ],
        },
      ],
      '/0/pair',
      'two different values',
      '[{"a":1,"b":2},{"b":2,"a":1}] (array)',
    ],
    ['a group of one', [{ group: [1] }], '/0/group', 'at least two values', '[1] (array)'],
    ['a group that is no array', [{ group: null }], '/0/group', 'at least two values', 'null'],
    ['a member twice', [{ group: [1, 2, 1] }], '/0/group/2', 'not in the group yet', '1 (number)'],
    [
      'a value that JSON can not say',
      [{ pair: [1, Infinity] }],
      '/0/pair/1',
      'a JSON value',
      'null (number)',
    ],
    ['a hole', [{ group: [1, undefined, 2] }], '/0/group/1', 'a JSON value', 'nothing'],
    ['a pointer without its slash', [{ distinct: 'id' }], '/0/distinct', 'a JSON Pointer', '"id" (string)'],
    [
      'a pointer with a bare tilde',
      [{ distinct: '/a~b' }],
      '/0/distinct',
      'a JSON Pointer',
      '"/a~b" (string)',
    ],
    ['a pointer that is no text', [{ pair: [1, 2], at: 0 }], '/0/at', 'a JSON Pointer', '0 (number)'],
    [
      'at beside distinct',
      [{ distinct: '/a', at: '/b' }],
      '/0/at',
      'no "at" beside distinct',
      '"/b" (string)',
    ],
    [
      'the same rule again',
      [{ distinct: '' }, { distinct: '' }],
      '/1',
      'repeat /0',
      '{"distinct":""} (object)',
    ],
    [
      'the same rule in other words',
      [{ pair: [1, 2] }, { distinct: '' }, { group: [2, 1], at: '' }],
      '/2',
      'repeat /0',
      '{"group":[2,1],"at":""} (object)',
    ],
  ])('refuses %s', (_, input, field, expected, received) => {
    const { rules, problems } = parseConflictRules(input);
    expect(rules).toEqual([]);
    expect(problems).toEqual([{ field, expected: expect.stringContaining(expected), received }]);
  });

  test('reports every problem at once, and no rule as soon as there is one', () => {
    const input = [{ pair: [1, 2] }, { pairs: [1, 2] }, { group: [1], at: 'x', by: 1 }, 7, { pair: [2, 1] }];
    const { rules, problems } = parseConflictRules(input);
    expect(rules).toEqual([]);
    expect(problems.map(({ field }) => field)).toEqual([
      '/1/pairs',
      '/1',
      '/2/group',
      '/2/at',
      '/2/by',
      '/3',
      '/4',
    ]);
  });
});
