import fc from 'fast-check';
import type { JsonValue } from '../../src/domain/json';
import { isJsonPointer, jsonPointerToken, parseJsonPointer, valueAt } from '../../src/domain/json-pointer';
import { anyJson } from '../helpers/arbitraries';

function at(value: JsonValue, pointer: string): JsonValue | undefined {
  return valueAt(value, parseJsonPointer(pointer));
}

/** Every part of a value with the pointer to it. */
function partsOf(value: JsonValue, pointer = ''): [string, JsonValue][] {
  if (value === null || typeof value !== 'object') return [[pointer, value]];
  const parts = Object.entries(value).flatMap(([key, part]) =>
    partsOf(part, pointer + jsonPointerToken(key)),
  );
  return [[pointer, value], ...parts];
}

describe('isJsonPointer', () => {
  test.each(['', '/', '/a', '/a/b', '/a~0b', '/a~1b', '//', '/ ', '/"', '/\n', '/é'])(
    'accepts %j',
    (text) => {
      expect(isJsonPointer(text)).toBe(true);
    },
  );

  test.each(['a', 'a/b', '#/a', ' ', '/a~', '/~2', '/~/a', '~0'])('refuses %j', (text) => {
    expect(isJsonPointer(text)).toBe(false);
    expect(() => parseJsonPointer(text)).toThrow(RangeError);
  });
});

describe('valueAt', () => {
  test('finds the values of the examples in RFC 6901', () => {
    const document = {
      foo: ['bar', 'baz'],
      '': 0,
      'a/b': 1,
      'c%d': 2,
      'e^f': 3,
      'g|h': 4,
      'i\\j': 5,
      'k"l': 6,
      ' ': 7,
      'm~n': 8,
    };
    expect(at(document, '')).toBe(document);
    expect(at(document, '/foo')).toBe(document.foo);
    const pointers = ['/foo/0', '/', '/a~1b', '/c%d', '/e^f', '/g|h', '/i\\j', '/k"l', '/ ', '/m~0n'];
    expect(pointers.map((pointer) => at(document, pointer))).toEqual(['bar', 0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('unescapes ~01 to ~1, not to /', () => {
    expect(at({ '~1': 'right', '/': 'wrong' }, '/~01')).toBe('right');
  });

  test('finds every part of any value', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        for (const [pointer, part] of partsOf(value)) {
          expect(isJsonPointer(pointer)).toBe(true);
          expect(at(value, pointer)).toBe(part);
        }
      }),
    );
  });

  test('finds the values null, false and 0', () => {
    expect([at({ a: null }, '/a'), at([false], '/0'), at({ a: { b: 0 } }, '/a/b')]).toEqual([null, false, 0]);
  });

  test.each<[JsonValue, string]>([
    [{ a: 1 }, '/b'],
    [{ a: 1 }, '/a/b'],
    [{ a: null }, '/a/b'],
    [1, '/a'],
    ['text', '/0'],
    ['text', '/length'],
    [[1, 2], '/2'],
    [[1, 2], '/-'],
    [[1, 2], '/-1'],
    [[1, 2], '/01'],
    [[1, 2], '/1.0'],
    [[1, 2], '/length'],
    [{}, '/toString'],
    [{}, '/__proto__'],
    [[], '/map'],
  ])('finds nothing in %j at %j', (value, pointer) => {
    expect(at(value, pointer)).toBeUndefined();
  });

  test('finds a member named __proto__ in parsed JSON', () => {
    expect(at(JSON.parse('{"__proto__":{"a":1}}') as JsonValue, '/__proto__/a')).toBe(1);
  });
});
