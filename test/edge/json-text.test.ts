import fc from 'fast-check';
import { isKeepapartError, type KeepapartError } from '../../src/domain/errors';
import { parseJsonText } from '../../src/edge/json-text';
import { almostJson, mutated, recordsText } from '../helpers/fuzz';

/** What our parser makes of a text: a value, or a refusal of the catalogue. */
function parsed(text: string): { value: unknown } | { refusal: KeepapartError } {
  try {
    return { value: parseJsonText(text, { maxDepth: 8 }) };
  } catch (error) {
    if (isKeepapartError(error)) return { refusal: error };
    throw error;
  }
}

/** What `JSON.parse`, the judge, makes of it. */
function judged(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

test('Any text is the value that JSON.parse says it is, or refused: as no JSON exactly when it is none.', () => {
  const anyText = fc.oneof(recordsText, mutated(recordsText), almostJson, fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(anyText, (text) => {
      const [ours, truth] = [parsed(text), judged(text)];
      if ('value' in ours) expect(ours).toEqual(truth);
      else {
        expect(ours.refusal.code).toBe(truth === undefined ? 'invalid-json' : 'invalid-request');
        if (truth !== undefined) expect(ours.refusal.problems.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 5000 },
  );
});

test('What JSON.stringify writes is taken, unless a key in it reaches for the prototype.', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      const ours = parsed(text);
      if (!text.includes('"__proto__":')) expect(ours).toEqual({ value: JSON.parse(text) as unknown });
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});

test('Numbers of any length and size are taken without rounding or refused.', () => {
  const number = fc
    .tuple(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), fc.nat(), fc.integer({ min: -400, max: 400 }))
    .map(([whole, fraction, exponent]) => `${whole}.${fraction}e${exponent}`);
  const integer = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String);
  fc.assert(
    fc.property(fc.oneof(number, integer), (token) => {
      const ours = parsed(`[${token}]`);
      if ('refusal' in ours) expect(ours.refusal.problems[0]?.expected).toContain('a 64-bit float');
      // Both sides as whole numbers, so that nothing is rounded here either.
      else expect(scaled(JSON.stringify((ours.value as number[])[0]))).toBe(scaled(token));
    }),
    { numRuns: 2000 },
  );
});

/** A decimal as a whole number of 1e-1000ths. */
function scaled(decimal: string): bigint {
  const [mantissa = '', exponent = '0'] = decimal.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(whole + fraction + '0'.repeat(1000 - fraction.length + Number(exponent)));
}
