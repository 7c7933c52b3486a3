import fc from 'fast-check';
import type { JsonValue } from '../../src/domain/json';
import { createMessageReader, type Message } from '../../src/tcp/messages';
import { jsonValues } from '../helpers/arbitraries';

const MAX_BYTES = 100_000;
const runs = { numRuns: 500 };

/** A list and one of the ways in which a client may write it. */
interface Written {
  list: JsonValue[];
  text: string;
}

const records = fc.array(jsonValues({ maxDepth: 3 }), { maxLength: 5 });

const written: fc.Arbitrary<Written> = fc
  .record({
    list: records,
    quote: fc.constantFrom('', "'", '"'),
    indent: fc.constantFrom(0, 2),
    blanks: fc.constantFrom('', ' ', ' \t'),
  })
  .map(({ list, quote, indent, blanks }) => ({
    list,
    text: `${quote}${quote && blanks}${JSON.stringify(list, null, indent)}${quote && blanks}${quote}`,
  }));

/** What may stand between two lists without meaning anything. */
const separator = fc.constantFrom('', ' ', '\n', '\r\n', '\n\n', ' \t\0\n');

/** Places to cut, as shares of the whole; some of them the same. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function readPieces(text: string | Uint8Array, places: readonly number[], maxBytes = MAX_BYTES) {
  const bytes = Buffer.from(text);
  const at = places.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b);
  const reader = createMessageReader({ maxBytes });
  const messages: Message[] = [];
  [0, ...at].forEach((from, i) => messages.push(...reader.read(bytes.subarray(from, at[i]))));
  return { messages, isMidway: reader.isMidway(), isHopeless: reader.isHopeless() };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

/** A list as it was meant; anything else by its kind, mistakes by their code. */
function meaning(message: Message): JsonValue {
  if (message.kind === 'list') return JSON.parse(textOf(message.bytes)) as JsonValue;
  return message.kind === 'mistake' ? message.error.code : message.kind;
}

function texts(messages: readonly Message[]): string[] {
  return messages.flatMap((message) => (message.kind === 'list' ? [textOf(message.bytes)] : []));
}

test('Any lists, written in any way and cut anywhere, are exactly those lists in their order.', () => {
  const stream = fc.array(fc.tuple(written, separator), { maxLength: 6 });
  fc.assert(
    fc.property(stream, cuts, (sent, places) => {
      const text = sent.map(([{ text }, after]) => text + after).join('');
      const { messages, isMidway } = readPieces(text, places);
      expect(messages.map(meaning)).toEqual(sent.map(([{ list }]) => list));
      expect(isMidway).toBe(false);
    }),
    runs,
  );
});

test('Byte by byte they are the same lists.', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 3 }), (sent) => {
      const text = sent.map(({ text }) => text).join('');
      const everywhere = Array.from(Buffer.from(text), (_byte, i, all = Buffer.from(text)) => i / all.length);
      expect(readPieces(text, everywhere).messages.map(meaning)).toEqual(sent.map(({ list }) => list));
    }),
    { numRuns: 100 },
  );
});

test('Lines of garbage between them, cut anywhere, cost no list.', () => {
  const garbage = fc.string({ unit: 'binary' }).map((text) => `?${text.replace(/[[{\n]|exit/g, '')}\n`);
  const stream = fc.array(fc.oneof(written, garbage), { maxLength: 8 });
  fc.assert(
    fc.property(stream, cuts, (sent, places) => {
      const text = sent.map((part) => (typeof part === 'string' ? part : `${part.text}\n`)).join('');
      const { messages } = readPieces(text, places);
      const lists = sent.flatMap((part) => (typeof part === 'string' ? [] : [part.list]));
      expect(texts(messages).map((list) => JSON.parse(list) as JsonValue)).toEqual(lists);
      const mistakes = messages.filter(({ kind }) => kind === 'mistake');
      expect(mistakes.length).toBeGreaterThanOrEqual(sent.length - lists.length);
    }),
    runs,
  );
});

test('A list with a mistake in it is one message, cut anywhere: no list in it is taken for one.', () => {
  const mistaken = fc
    .tuple(records, fc.constantFrom('oops', 'NaN', '1 2', "'a'", ',', '\\', '\u0000'))
    .map(([list, mistake]) => `[${mistake},${JSON.stringify(list)},${JSON.stringify({ list })}]`);
  fc.assert(
    fc.property(mistaken, cuts, (text, places) => {
      expect(texts(readPieces(`${text}[1]`, places).messages)).toEqual([text, '[1]']);
    }),
    runs,
  );
});

test('No beginning of a list is hopeless, cut anywhere, until something comes that can not be there.', () => {
  fc.assert(
    fc.property(written, cuts, fc.double({ min: 0, max: 1, noNaN: true }), (sent, places, share) => {
      const bytes = Buffer.from(sent.text);
      const beginning = bytes.subarray(0, Math.floor(share * (bytes.length - 1)));
      expect(readPieces(beginning, places).isHopeless).toBe(false);
      // A question mark can only be in a string, in which a line can't end.
      const { messages, ...left } = readPieces(Buffer.concat([beginning, Buffer.from('\n?')]), places);
      const isTold = messages.length > 0 && messages.every((message) => meaning(message) === 'invalid-json');
      expect({ isTold, ...left }).toEqual({ isTold, isMidway: !isTold, isHopeless: !isTold });
    }),
    runs,
  );
});

test('A list beyond the bound, and an object, are one mistake, cut anywhere; so much for the lists in them.', () => {
  const list = fc.tuple(records, records).map((lists) => [...lists, 'x'.repeat(60)]);
  fc.assert(
    fc.property(list, cuts, (large, places) => {
      const sent = `${JSON.stringify(large)}${JSON.stringify({ large })}[1]`;
      const { messages } = readPieces(sent, places, 60);
      expect(messages.map(meaning)).toEqual(['request-too-large', 'invalid-request', [1]]);
    }),
    runs,
  );
});

test('In any bytes, cut at any position, every list found is in the bytes, from bracket to bracket.', () => {
  const token = fc.constantFrom(
    ...[
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '\\',
      ',',
      '\n',
      '\r',
      ' ',
      '1',
      'e',
      'exit',
      '[1]',
      '["a"]',
      'GET ',
      '\0',
    ],
  );
  const bytes = fc.oneof(
    fc.array(token, { maxLength: 40 }).map((tokens) => Buffer.from(tokens.join(''))),
    fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(bytes, cuts, (sent, places) => {
      let from = 0;
      for (const message of readPieces(sent, places).messages) {
        if (message.kind !== 'list') continue;
        expect(textOf(message.bytes)).toMatch(/^\[[^]*[\]}]$/);
        from = sent.indexOf(message.bytes, from);
        expect(from).not.toBe(-1);
        from += message.bytes.length;
      }
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ["'[1,2", "]'", [[1, 2]]],
  ["'[1,2]", " ' ", [[1, 2]]],
  ["'", "[1]'", [[1]]],
  ['ex', 'it', ['exit']],
  ["'ex", "it' ", ['exit']],
  ['["\\', '"]"]', [['"]']]],
  ['[1', '\n]\n', [[1]]],
  ['hello', '[1]', ['invalid-json', [1]]],
  ['exitus', '[1]', ['invalid-json', [1]]],
])('%j and then %j is %j.', (first, second, expected) => {
  const reader = createMessageReader({ maxBytes: MAX_BYTES });
  expect([first, second].flatMap((text) => reader.read(Buffer.from(text))).map(meaning)).toEqual(expected);
  expect(reader.isMidway()).toBe(false);
});

describe('A list with a mistake in it is given up when its end does not come, and what comes then is a message:', () => {
  test.each([
    ['a word', '[bad', '[bad'],
    ['text behind records', '[1,2 x[9]', '[1,2 x[9]'],
    ['a line that ends in a string', '["a\n', '["a\n'],
    ['a word in quotes', "'[bad", '[bad'],
    ['a quote that does not close', "'[bad]", '[bad]'],
    ['the wrong bracket', '[[[9},', '[[[9},'],
    ['an object', '{bad', 'invalid-request'],
    ['too much', `[?,"${'x'.repeat(MAX_BYTES)}"`, 'request-too-large'],
  ])('%s.', (_title, sent, givenUp) => {
    const reader = createMessageReader({ maxBytes: MAX_BYTES });
    expect([reader.read(Buffer.from(sent)), reader.isHopeless()]).toEqual([[], true]);
    const message = reader.giveUp();
    expect(message.kind === 'list' ? textOf(message.bytes) : meaning(message)).toBe(givenUp);
    expect([reader.isMidway(), reader.isHopeless()]).toEqual([false, false]);
    expect(reader.read(Buffer.from("'[1]'")).map(meaning)).toEqual([[1]]);
  });

  test('one that did end is forgotten.', () => {
    const reader = createMessageReader({ maxBytes: MAX_BYTES });
    reader.read(Buffer.from(`[bad]'`));
    expect([reader.isMidway(), reader.isHopeless()]).toEqual([true, false]);
  });
});
