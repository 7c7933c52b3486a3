import fc from 'fast-check';
import { isExactNumber } from '../../src/edge/exact-number';

test.each([
  '0',
  '-0',
  '1',
  '1.0',
  '0.1',
  '1e20',
  '1E+2',
  '100e-2',
  '9007199254740992',
  '9007199254740994',
  '5e-324',
])('%s keeps its value.', (token) => expect(isExactNumber(token)).toBe(true));

test.each([
  '1.7976931348623157e308',
  '0.000e999',
  `0.${'0'.repeat(400)}`,
  '-123456789012345680000',
  '0.30000000000000004',
])('%s keeps its value.', (token) => expect(isExactNumber(token)).toBe(true));

test.each([
  '9007199254740993',
  '0.1000000000000000055',
  '1e309',
  '4e-324',
  '1e-400',
  '0.30000000000000004001',
])('%s does not.', (token) => expect(isExactNumber(token)).toBe(false));

test('Whatever JSON.stringify writes keeps its value.', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      isExactNumber(JSON.stringify(value)),
    ),
  );
});

test('An integer keeps its value exactly when BigInt and Number agree on it.', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
      // Number writes the shortest decimal that reads back the same, so the text decides, not the binary value.
      const kept =
        BigInt(JSON.stringify(Number(value)).replace(/^(-?)(\d)\.?(\d*)e\+(\d+)$/, expand)) === value;
      return isExactNumber(String(value)) === kept;
    }),
  );
});

function expand(_match: string, sign: string, first: string, rest: string, exponent: string): string {
  return sign + first + rest.padEnd(Number(exponent), '0');
}
