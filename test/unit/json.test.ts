import fc from 'fast-check';
import { canonicalJson, jsonBytes, utf8Bytes, type JsonValue } from '../../src/domain/json';
import { anyJson } from '../helpers/arbitraries';

/** The same value with the members of every object in another order. */
function reordered(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reordered);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).map(([key, part]) => [key, reordered(part)] as const);
  return Object.fromEntries(members.reverse());
}

describe('canonicalJson', () => {
  test('is JSON for the same value', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('does not depend on the order of object members', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(canonicalJson(reordered(value))).toBe(canonicalJson(value));
      }),
    );
  });

  test('is the same for numbers that JSON writes in several ways', () => {
    const texts = ['1', '1.0', '1e0', '10e-1', '0.1E1'];
    expect(new Set(texts.map((text) => canonicalJson(JSON.parse(text) as JsonValue)))).toEqual(
      new Set(['1']),
    );
    expect(canonicalJson(-0)).toBe(canonicalJson(0));
  });

  test('differs for values that differ', () => {
    const values: JsonValue[] = [
      ...[null, true, false, 0, 1, -1, '', '0', '1', 'null', 'true', '[]', '{}', '"', '\\'],
      ...[[], [[]], [1], ['1'], [1, 2], [2, 1], ['1,2'], [null], ['a', 'b'], ['a","b']],
      ...[
        {},
        { a: 1 },
        { a: '1' },
        { b: 1 },
        { a: 1, b: 2 },
        { a: 2, b: 1 },
        { a: { b: 2 } },
        { 'a":1,"b': 2 },
      ],
      ...['\ud800', '\\ud800', '\ufffd', 'é', 'e\u0301'],
    ];
    expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
  });

  test('sorts members by code units', () => {
    expect(canonicalJson({ b: 1, a: [{ d: 1, c: null }], '\ue000': 1, '\u{1f600}': 1, B: 1 })).toBe(
      '{"B":1,"a":[{"c":null,"d":1}],"b":1,"\u{1f600}":1,"\ue000":1}',
    );
  });
});

describe('utf8Bytes and jsonBytes', () => {
  test('count the same bytes as TextEncoder', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Bytes(text)).toBe(Buffer.byteLength(text, 'utf8'));
      }),
    );
    expect(utf8Bytes('a\u00e9\u20ac\u{1f600}')).toBe(1 + 2 + 3 + 4);
  });

  test('count bytes of compact JSON', () => {
    expect(jsonBytes({ a: [1, 'é'] })).toBe('{"a":[1,"é"]}'.length + 1);
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value), 'utf8'));
      }),
    );
  });
});
