import fc from 'fast-check';

/** What makes a parser of JSON think. */
const PIECES = [
  ...['[', ']', '{', '}', ',', ':', '"', '\\', '\\u0000', '\\ud800', '"a"', '"records"', '"__proto__":'],
  ...[
    '1',
    '-',
    '-0',
    '0',
    '.',
    'e9',
    'E+',
    '1e999',
    '9007199254740993',
    'null',
    'true',
    'NaN',
    ' ',
    '\t',
    '\n',
  ],
  ...['\u0000', '\ufeff', '\u2028', 'ü', '😀', '//', "'"],
];

export const almostJson: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 30 })
  .map((pieces) => pieces.join(''));

/** The text of a list of records in either of its two shapes. */
export const recordsText: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 6 }), fc.boolean(), fc.constantFrom(0, 1))
  .map(([list, bare, indent]) => JSON.stringify(bare ? list : { records: list }, null, indent));

/** One change to a text: a part is taken out, doubled, or has something put before it. */
function change(piece: fc.Arbitrary<string>): fc.Arbitrary<(text: string) => string> {
  const kind = fc.constantFrom('remove', 'double', 'insert');
  return fc
    .tuple(kind, fc.nat(), fc.nat({ max: 8 }), piece)
    .map(([what, where, length, inserted]) => (text) => {
      const at = where % (text.length + 1);
      const [before, part, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
      if (what === 'remove') return before + after;
      return before + (what === 'double' ? part : inserted) + part + after;
    });
}

/** A text with up to three changes. */
export function mutated(
  text: fc.Arbitrary<string>,
  pieces: readonly string[] = PIECES,
): fc.Arbitrary<string> {
  const piece = fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 3 }));
  return fc
    .tuple(text, fc.array(change(piece), { minLength: 1, maxLength: 3 }))
    .map(([original, changes]) => changes.reduce((result, apply) => apply(result), original));
}

/** Too short, too long, alone, a surrogate, beyond Unicode. */
const NO_UTF8 = [
  [0xff],
  [0xc3],
  [0xe2, 0x82],
  [0x80],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
];

/** JSON but for its bytes: a string, as a value or a key, holds some that are no UTF-8. */
const notUtf8: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(...NO_UTF8),
    fc.constantFrom('["a?b"]', '{"records":[1,"?"]}', '[{"?":1}]', '1\n"?"\n2'),
  )
  .map(([bytes, text]) => {
    const [before = '', after = ''] = text.split('?');
    return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
  });

/** Bodies of every kind: right ones, nearly right ones, and any bytes. */
export const anyBody: fc.Arbitrary<Buffer> = fc.oneof(
  recordsText.map((text) => Buffer.from(text)),
  mutated(recordsText).map((text) => Buffer.from(text)),
  almostJson.map((text) => Buffer.from(text)),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  notUtf8,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);
