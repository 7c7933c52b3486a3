import fc from 'fast-check';
import { conflictingRules, conflicts, parseConflictRules, type ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';
import { conflictRules, recordValue } from '../helpers/arbitraries';

describe('conflicts', () => {
  const pair: ConflictRule[] = [{ pair: [1, 2] }];

  test('keeps the two values of a pair apart, in either order, and no others', () => {
    expect(conflicts(1, 2, pair)).toBe(true);
    expect(conflicts(2, 1, pair)).toBe(true);
    expect(conflicts(1, 1, pair)).toBe(false);
    expect(conflicts(1, 3, pair)).toBe(false);
    expect(conflicts(3, 4, pair)).toBe(false);
  });

  test("compares values as JSON: type and nesting matter, key order and notation don't", () => {
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

  test('compares the values at the pointer, and ignores records without one', () => {
    const rules: ConflictRule[] = [{ pair: ['debit', 'credit'], at: '/entries/0' }];
    expect(conflicts({ entries: ['debit'] }, { entries: ['credit', 1], id: 2 }, rules)).toBe(true);
    expect(conflicts({ entries: ['debit'] }, { entries: [] }, rules)).toBe(false);
    expect(conflicts('debit', 'credit', rules)).toBe(false);
    expect(conflicts({}, {}, [{ distinct: '/id' }])).toBe(false);
    expect(conflicts({ id: null }, { id: null }, [{ distinct: '/id' }])).toBe(true);
  });

  test('keeps records that left selects apart from those that right selects, and a record that both select from its copy', () => {
    const debits = { at: '/type', prefix: 'debit' };
    const large = { at: '/amount', atLeast: 100, below: 200 };
    const rules: ConflictRule[] = [{ never: { left: debits, right: large } }];
    const [debit, much, both] = [{ type: 'debit:cash' }, { amount: 100 }, { type: 'debit', amount: 199.5 }];
    expect(conflicts(debit, much, rules)).toBe(true);
    expect(conflicts(much, debit, rules)).toBe(true);
    expect(conflicts(debit, debit, rules)).toBe(false);
    expect(conflicts(much, much, rules)).toBe(false);
    expect([debit, much, both].map((other) => conflicts(both, other, rules))).toEqual([true, true, true]);
    expect(conflicts(debit, { amount: 200 }, rules)).toBe(false);
    expect(conflicts(debit, { amount: '150' }, rules)).toBe(false);
    expect(conflicts(both, { other: 1 }, rules)).toBe(false);
  });

  test('applies only between records with equal values at every pointer of `same`', () => {
    const rules: ConflictRule[] = [
      {
        never: { left: { at: '/type', equals: 'debit' }, right: { at: '/type', equals: 'credit' } },
        same: ['/account', '/currency'],
      },
    ];
    const of = (type: string, account?: number, currency = 'EUR') => ({
      type,
      currency,
      ...(account !== undefined && { account }),
    });
    expect(conflicts(of('debit', 1), of('credit', 1), rules)).toBe(true);
    expect(conflicts(of('debit', 1), of('credit', 2), rules)).toBe(false);
    expect(conflicts(of('debit', 1), of('credit', 1, 'USD'), rules)).toBe(false);
    expect(conflicts(of('debit'), of('credit'), rules)).toBe(false);
    expect(conflicts(of('debit', 1), of('debit', 1), rules)).toBe(false);
  });

  test('is symmetric, and true exactly if conflictingRules lists a rule', () => {
    fc.assert(
      fc.property(recordValue, recordValue, conflictRules, (a, b, rules) => {
        const named = conflictingRules(a, b, rules);
        expect(conflictingRules(b, a, rules)).toEqual(named);
        expect(conflicts(a, b, rules)).toBe(named.length > 0);
      }),
    );
  });

  test('lists every rule that keeps two records apart, and only those', () => {
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
    [
      'every kind of selector',
      [
        { never: { left: { at: '/a' }, right: { equals: null } } },
        { never: { left: { in: [1, '1'] }, right: { at: '/b', prefix: 'x' } } },
        { never: { left: { atLeast: 1, below: 2 }, right: { above: 'a', atMost: 'b' } } },
        {
          never: { left: { at: '/k', atLeast: 1, atMost: 1 }, right: { at: '/k', below: 0 } },
          same: ['/a', '/b'],
        },
      ],
    ],
    [
      'one pair for the whole of records, and one for what is the same',
      [
        { pair: [1, 2], at: '/a' },
        { pair: [1, 2], at: '/a', same: '/b' },
      ],
    ],
    [
      'a pair whose members can hold the same',
      [
        {
          pair: [
            { a: 1, b: 1 },
            { a: 1, b: 2 },
          ],
          same: '/a',
        },
      ],
    ],
  ])('accepts %s', (_, input) => {
    expect(parseConflictRules(input)).toEqual({ rules: input, problems: [] });
  });

  test.each<[string, unknown, string, string, string]>([
    ['what is not an array', { pair: [1, 2] }, '', 'an array of rules', '{"pair":[1,2]} (object)'],
    ['nothing at all', undefined, '', 'an array of rules', 'nothing'],
    [
      'a rule that is not an object',
      [[1, 2]],
      '/0',
      'exactly one of pair, group, distinct, alike, never',
      '[1,2] (array)',
    ],
    ['null as a rule', [null], '/0', 'exactly one of pair, group, distinct, alike, never', 'null'],
    ['an empty rule', [{}], '/0', 'exactly one of pair, group, distinct, alike, never', '{} (object)'],
    [
      'two kinds in one rule',
      [{ pair: [1, 2], distinct: '' }],
      '/0',
      'exactly one of pair, group, distinct, alike, never',
      '{"pair":[1,2],"distinct":""} (object)',
    ],
    [
      'an unknown key',
      [{ pair: [1, 2], 'a/b': 3 }],
      '/0/a~1b',
      'only the keys pair, group, distinct, alike, never, at, same',
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
    ['at with distinct', [{ distinct: '/a', at: '/b' }], '/0/at', 'no "at" with distinct', '"/b" (string)'],
    ['at with alike', [{ alike: '/a', at: '/b' }], '/0/at', 'no "at" with alike', '"/b" (string)'],
    ['alike that is no pointer', [{ alike: 'tenant' }], '/0/alike', 'a JSON Pointer', '"tenant" (string)'],
    [
      'alike within what is the same as a whole',
      [{ alike: '/a/b', same: '/a' }],
      '/0',
      'also have equal values at the pointer of "alike"',
      '{"alike":"/a/b","same":"/a"} (object)',
    ],
    [
      'two alike rules with the same meaning',
      [
        { alike: '/a', same: '/b' },
        { alike: '/a', same: ['/b'] },
      ],
      '/1',
      'a rule that does not repeat /0',
      '{"alike":"/a","same":["/b"]} (object)',
    ],
    [
      'at with never',
      [{ never: { left: { at: '' }, right: { at: '' } }, at: '/b' }],
      '/0/at',
      'no "at" with never',
      '"/b" (string)',
    ],
    [
      'a never without its right',
      [{ never: { left: { at: '' } } }],
      '/0/never',
      'the selectors left and right',
      '{"left":{"at":""}} (object)',
    ],
    [
      'an unknown side',
      [{ never: { left: { at: '' }, right: { at: '' }, same: '' } }],
      '/0/never/same',
      '"same" belongs next to never',
      '"" (string)',
    ],
    [
      'an empty selector',
      [{ never: { left: {}, right: { at: '' } } }],
      '/0/never/left',
      '{"at":""} selects every record',
      '{} (object)',
    ],
    [
      'an unknown key of a selector',
      [{ never: { left: { is: 1 }, right: { at: '' } } }],
      '/0/never/left/is',
      'only the keys at, equals',
      '1 (number)',
    ],
    [
      'two conditions',
      [{ never: { left: { equals: 1, prefix: 'a' }, right: { at: '' } } }],
      '/0/never/left',
      'at most one of equals, in, prefix, or a range',
      '{"equals":1,"prefix":"a"} (object)',
    ],
    [
      'two lower bounds',
      [{ never: { left: { above: 1, atLeast: 2 }, right: { at: '' } } }],
      '/0/never/left',
      'at most one of atLeast and above',
      '{"above":1,"atLeast":2} (object)',
    ],
    [
      'a range from a number to a string',
      [{ never: { left: { above: 1, below: 'a' }, right: { at: '' } } }],
      '/0/never/left',
      'two numbers or two strings',
      '{"above":1,"below":"a"} (object)',
    ],
    [
      'an empty range',
      [{ never: { left: { at: '' }, right: { above: 1, below: 1 } } }],
      '/0/never/right',
      'lower bound has to be below',
      '{"above":1,"below":1} (object)',
    ],
    [
      'a range below all strings',
      [{ never: { left: { at: '' }, right: { below: '' } } }],
      '/0/never/right',
      'lower bound has to be below',
      '{"below":""} (object)',
    ],
    [
      'a bound that is neither a number nor a string',
      [{ never: { left: { above: null }, right: { at: '' } } }],
      '/0/never/left/above',
      'a number or a string',
      'null',
    ],
    [
      'an empty list of values',
      [{ never: { left: { in: [] }, right: { at: '' } } }],
      '/0/never/left/in',
      'at least one value',
      '[] (array)',
    ],
    [
      'a list with a duplicate',
      [{ never: { left: { in: [1, 1] }, right: { at: '' } } }],
      '/0/never/left/in',
      'without duplicates',
      '[1,1] (array)',
    ],
    [
      'an empty prefix',
      [{ never: { left: { prefix: '' }, right: { at: '' } } }],
      '/0/never/left/prefix',
      'leave prefix out',
      '"" (string)',
    ],
    [
      'a same that is not a pointer',
      [{ pair: [1, 2], same: 'a' }],
      '/0/same',
      'a JSON Pointer',
      '"a" (string)',
    ],
    ['an empty same', [{ pair: [1, 2], same: [] }], '/0/same', 'an array of different ones', '[] (array)'],
    [
      'a same with a duplicate',
      [{ distinct: '/a', same: ['/b', '/b'] }],
      '/0/same/1',
      'an array of different ones',
      '"/b" (string)',
    ],
    [
      'same with the pointer of distinct',
      [{ distinct: '/a', same: '/a' }],
      '/0/same',
      'pointers other than that of distinct',
      '"/a" (string)',
    ],
    [
      'same at a value that always differs in a pair',
      [{ pair: [1, 2], same: '' }],
      '/0',
      'always differ at',
      '{"pair":[1,2],"same":""} (object)',
    ],
    [
      'same at a part that the values of a pair do not have',
      [{ pair: [1, 2], same: '/a' }],
      '/0',
      'have nothing at "/a"',
      '{"pair":[1,2],"same":"/a"} (object)',
    ],
    [
      'same at a value that always differs in a never',
      [{ never: { left: { at: '/k', equals: 'd' }, right: { at: '/k', equals: 'c' } }, same: '/k' }],
      '/0',
      'always differ at',
      expect.any(String),
    ],
    [
      'a pointer that is deeper than records can be',
      [{ distinct: '/a'.repeat(33) }],
      '/0/distinct',
      'at most 32 steps',
      expect.any(String),
    ],
    [
      'a pointer with a forbidden key',
      [{ distinct: '/__proto__' }],
      '/0/distinct',
      'none of them __proto__',
      '"/__proto__" (string)',
    ],
    [
      'a value that is deeper than records can be at the pointer',
      [{ pair: [[], 1], at: '/a'.repeat(32) }],
      '/0/pair/0',
      'at most 32 levels',
      '[] (array)',
    ],
    [
      'a never with the meaning of an earlier pair',
      [
        { pair: [1, 2], at: '/a' },
        { never: { left: { at: '/a', in: [2] }, right: { at: '/a', equals: 1 } } },
      ],
      '/1',
      'repeat /0',
      expect.any(String),
    ],
    [
      'a distinct with the meaning of an earlier one',
      [
        { distinct: '/a', same: '/b' },
        { distinct: '/b', same: ['/a'] },
      ],
      '/1',
      'repeat /0',
      '{"distinct":"/b","same":["/a"]} (object)',
    ],
    ['an equal rule', [{ distinct: '' }, { distinct: '' }], '/1', 'repeat /0', '{"distinct":""} (object)'],
    [
      'a group with the meaning of an earlier pair',
      [{ pair: [1, 2] }, { distinct: '' }, { group: [2, 1], at: '' }],
      '/2',
      'repeat /0',
      '{"group":[2,1],"at":""} (object)',
    ],
  ])('rejects %s', (_, input, field, expected, received) => {
    const { rules, problems } = parseConflictRules(input);
    expect(rules).toEqual([]);
    expect(problems).toEqual([{ field, expected: expect.stringContaining(expected), received }]);
  });

  test('reports all problems at once, and returns no rules if there is one', () => {
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

describe('alike', () => {
  const alike: ConflictRule[] = [{ alike: '/tenant' }];

  test.each<[JsonValue, JsonValue, boolean]>([
    [{ tenant: 'a' }, { tenant: 'a', more: 1 }, false],
    [{ tenant: 'a' }, { tenant: 'b' }, true],
    [{ tenant: { x: 1, y: 2 } }, { tenant: { y: 2, x: 1 } }, false],
    [{ tenant: 1 }, { tenant: '1' }, true],
    [{ tenant: null }, {}, true],
    [{ tenant: '' }, {}, true],
    [{}, 'no object', false],
  ])('%j and %j are kept apart: %p', (a, b, apart) => {
    expect(conflicts(a, b, alike)).toBe(apart);
    expect(conflicts(b, a, alike)).toBe(apart);
  });

  test('applies only between records with equal values at the pointers of same', () => {
    const rules: ConflictRule[] = [{ alike: '/tenant', same: '/region' }];
    expect(conflicts({ tenant: 1, region: 'x' }, { tenant: 2, region: 'x' }, rules)).toBe(true);
    expect(conflicts({ tenant: 1, region: 'x' }, { tenant: 2, region: 'y' }, rules)).toBe(false);
    expect(conflicts({ tenant: 1 }, { tenant: 2 }, rules)).toBe(false);
  });
});
