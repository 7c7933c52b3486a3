import fc from 'fast-check';
import { createJsonGrammar } from '../../src/tcp/json-grammar';
import { jsonValues } from '../helpers/arbitraries';

const MAX_DEPTH = 34;

/** How many bytes are taken before one can't be part of any JSON. */
function possibleBytes(text: string): number {
  const grammar = createJsonGrammar(MAX_DEPTH);
  const bytes = Buffer.from(text);
  const at = bytes.findIndex((byte) => !grammar.take(byte));
  return at === -1 ? bytes.length : at;
}

const containers = fc
  .tuple(
    fc.oneof(fc.array(jsonValues({ maxDepth: 3 })), fc.dictionary(fc.string(), jsonValues({ maxDepth: 3 }))),
    fc.constantFrom(undefined, 1, '\t\r\n'),
  )
  .map(([value, layout]) => JSON.stringify(value, null, layout));

test('A text that is JSON is possible to its last byte.', () => {
  const numbers = ['0', '-0', '1.0', '10.05e-07', '1E+2', '0e0', '-1.5E5'];
  const strings = ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u00e9\\uD83d\\uDE00"', '"é😀\u007f"', '""'];
  for (const text of [`[${numbers.join()}]`, `[ ${strings.join(' , ')}\n]`, '{"a" : { } , "b":[ ]}'])
    expect([possibleBytes(text), JSON.parse(text)]).toEqual([Buffer.byteLength(text), expect.anything()]);
  fc.assert(fc.property(containers, (text) => possibleBytes(text) === Buffer.byteLength(text)));
});

/** What completes a text that ends within a token, or before one. */
const COMPLETIONS = [
  ...[
    '',
    '0',
    '"',
    '":0',
    ':0',
    '0:0',
    '"":0',
    'n"',
    'n":0',
    'rue',
    'ue',
    'e',
    'alse',
    'lse',
    'se',
    'ull',
    'll',
    'l',
  ],
  ...[0, 1, 2, 3, 4].flatMap((digits) => [`${'0'.repeat(digits)}"`, `${'0'.repeat(digits)}":0`]),
];
const MAX_OPEN = 3;
const CLOSINGS = [0, 1, 2, 3].flatMap((depth) =>
  Array.from({ length: 2 ** depth }, (_, bits) =>
    Array.from({ length: depth }, (_, i) => ((bits >> i) & 1 ? ']' : '}')).join(''),
  ),
);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function canBecomeJson(text: string): boolean {
  const open = bracketsIn(text);
  const closings = CLOSINGS.filter(({ length }) => length <= open);
  return closings.some((closing) => COMPLETIONS.some((completion) => isJson(text + completion + closing)));
}

function bracketsIn(text: string): number {
  return text.match(/[[{]/g)?.length ?? 0;
}

test('It gives up at the first byte after which nothing makes it JSON, JSON.parse being the judge.', () => {
  const tokens = [
    ...Array.from('[]{}",:\\ue01-+. \n/n\u0001'),
    '[1',
    '{"a"',
    '"a"',
    'tru',
    'false',
    'null',
    '1.5',
    'E-2',
    '\\u00e',
  ];
  const texts = fc
    .tuple(
      fc.constantFrom('[', '{', '[{', '{"a":', '[1,', '["a'),
      fc.array(fc.constantFrom(...tokens), { maxLength: 3 }),
    )
    .map(([beginning, rest]) => beginning + rest.join(''))
    .filter((text) => bracketsIn(text) <= MAX_OPEN);
  fc.assert(
    fc.property(texts, (text) => {
      const possible = possibleBytes(text);
      // Behind the bracket that closes the first one there is nothing to take.
      const end = Array.from(text).findIndex((_, i) => isJson(text.slice(0, i + 1))) + 1;
      if (end > 0 && end <= possible) return;
      expect([possible, canBecomeJson(text.slice(0, possible))]).toEqual([possible, true]);
      if (possible < text.length) expect(canBecomeJson(text.slice(0, possible + 1))).toBe(false);
    }),
    { numRuns: 400 },
  );
});

test('It gives up at the bracket that opens one level too many.', () => {
  expect(possibleBytes('['.repeat(100))).toBe(MAX_DEPTH);
  expect(possibleBytes('[{"a":'.repeat(100))).toBe(6 * (MAX_DEPTH / 2));
});
