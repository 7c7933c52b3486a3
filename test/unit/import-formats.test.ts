import fc from 'fast-check';
import { keyOfContent } from '../../src/cli/import/file-key';
import { formatOf, toNdjson, type ReadAs } from '../../src/cli/import/formats';

const AS: ReadAs = { format: 'ndjson', column: undefined, numbers: false };

/** A text as bytes that come in pieces of such lengths, over and over. */
async function* cut(text: string | Buffer, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text as string);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!;
    await Promise.resolve();
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** The text that is sent, and the error that ended it. */
async function sent(text: string | Buffer, as: Partial<ReadAs>, lengths: readonly number[] = [1000]) {
  let lines = '';
  try {
    for await (const piece of toNdjson(cut(text, lengths), { ...AS, ...as }))
      lines += Buffer.from(piece as string).toString();
    return { lines, error: undefined };
  } catch (error) {
    return { lines, error: (error as Error).message };
  }
}

describe('a JSON list', () => {
  test('becomes its records, each on a line, wherever it is cut', async () => {
    const layouts = [undefined, 2, '\t\r\n'];
    const lists = fc.array(fc.jsonValue(), { maxLength: 20 });
    const lengths = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lists, fc.constantFrom(...layouts), lengths, async (list, layout, cuts) => {
        const { lines, error } = await sent(JSON.stringify(list, null, layout), { format: 'json' }, cuts);
        expect(error).toBeUndefined();
        expect(lines.split('\n').slice(0, -1)).toEqual(list.map((record) => JSON.stringify(record)));
      }),
    );
  });

  test('keeps what a parser would round or drop, for the API to judge', async () => {
    const text = '[9007199254740993, 1e999, -0.10, {"a":1,"a":2}, "\\ud800", {"__proto__":[1.0]}]';
    const { lines } = await sent(text, { format: 'json' });
    expect(lines).toBe('9007199254740993\n1e999\n-0.10\n{"a":1,"a":2}\n"\\ud800"\n{"__proto__":[1.0]}\n');
  });

  test.each([
    ['{"records":[1]}', '', 'line 1: expected a list of records in JSON; received Unexpected "{"'],
    ['7', '', 'line 1: expected the end of the list; received the end of the file'],
    ['', '', 'line 1: expected the end of the list; received the end of the file'],
    ['[1,\n2', '1\n', 'line 2: expected the end of the list; received the end of the file'],
    ['[1,\n{"a":\n}]', '1\n', 'line 3: expected a list of records in JSON; received Unexpected "}"'],
    ['[1,\n2,\nx]', '1\n2\n', 'line 3: expected a list of records in JSON; received Unexpected "x"'],
    ['[1,2\n] 3\n', '1\n2\n', 'line 2: expected a list of records in JSON; received Unexpected'],
    ['[1,2,]', '1\n2\n', 'line 1: expected a list of records in JSON; received Unexpected "]"'],
  ])('that is broken gives what stands before: %j', async (text, before, message) => {
    for (const lengths of [[1], [1000]]) {
      const { lines, error } = await sent(text, { format: 'json' }, lengths);
      expect(lines).toBe(before);
      expect(error).toContain(message);
    }
  });

  test('that is not UTF-8 is refused', async () => {
    const { error } = await sent(Buffer.from('[1,\n"\xffabcdef"]', 'latin1'), { format: 'json' });
    expect(error).toContain('expected a list of records in JSON');
  });
});

describe('a CSV file', () => {
  const csv = (text: string | Buffer, as: Partial<ReadAs> = {}, lengths?: number[]) =>
    sent(text, { ...as, format: 'csv' }, lengths);

  test('becomes an object for each row, all of texts, or the cells of one column', async () => {
    const text = '\ufeffsku,"the amount",note\r\na-1,007,"says ""hi"",\nthere"\r\n\r\nb,1.50,\r\n';
    for (const lengths of [[1], [1000]]) {
      expect((await csv(text, {}, lengths)).lines).toBe(
        '{"sku":"a-1","the amount":"007","note":"says \\"hi\\",\\nthere"}\n' +
          '{"sku":"b","the amount":"1.50","note":""}\n',
      );
      expect((await csv(text, { column: 'the amount' }, lengths)).lines).toBe('"007"\n"1.50"\n');
    }
  });

  test('has numbers only where they are asked for, and a cell is one in JSON', async () => {
    const text = 'n\n1\n-2.50\n1e3\n007\n+1\n \n0x1\nNaN\n';
    expect((await csv(text, { column: 'n', numbers: true })).lines).toBe(
      '1\n-2.50\n1e3\n"007"\n"+1"\n" "\n"0x1"\n"NaN"\n',
    );
    const { lines, error } = await csv('n\n1\n9007199254740993\n', { column: 'n', numbers: true });
    expect(lines).toBe('1\n');
    expect(error).toMatch(
      /^line 3: expected a number that a 64-bit float holds.* received 9007199254740993$/,
    );
  });

  test.each([
    [
      'a,b\n1,2\n3\n4,5\n',
      '{"a":"1","b":"2"}\n',
      'line 3: expected as many cells as the first row has; received 1 cells',
    ],
    ['a,b\n1,2\n3,"4\n', '{"a":"1","b":"2"}\n', 'expected a row of CSV; received Quote Not Closed'],
    ['a,a\n1,2\n', '', 'line 1: expected each column once; received "a" (string) twice'],
  ])('that is broken gives the rows before: %j', async (text, before, message) => {
    for (const lengths of [[2], [1000]]) {
      const { lines, error } = await csv(text, {}, lengths);
      expect([lines, error]).toEqual([before, expect.stringContaining(message)]);
    }
  });

  test('that is not UTF-8 is refused', async () => {
    const { lines, error } = await csv(Buffer.from('a\nb\nc\nd\xff\n', 'latin1'), {}, [1]);
    expect(lines).toContain('{"a":"b"}\n');
    expect(lines).not.toContain('d');
    expect(error).toContain('expected UTF-8; received other bytes');
  });

  test('has to have the column that is named', async () => {
    const { error } = await csv('a,b\n1,2\n', { column: 'c' });
    expect(error).toBe('line 1: expected a column "c"; received the columns ["a","b"]');
  });
});

test('NDJSON goes on byte by byte, without a byte order mark', async () => {
  const text = '\ufeff{"a":9007199254740993}\r\n\r\nno json\n';
  expect((await sent(text, {}, [1000])).lines).toBe('{"a":9007199254740993}\r\n\r\nno json\n');
  const bytes = Buffer.from([0x22, 0xff, 0x22]);
  for await (const piece of toNdjson(cut(bytes, [3]), AS))
    expect(Buffer.from(piece as Uint8Array)).toEqual(bytes);
});

test('the name tells the format, or --format has to', () => {
  const names = ['a.ndjson', 'a.JSONL', 'a.json', 'b/c.csv', '-'];
  expect(names.map((name) => formatOf(name))).toEqual(['ndjson', 'ndjson', 'json', 'csv', 'ndjson']);
  expect(() => formatOf('orders.txt')).toThrow('--format');
});

test('the key of a file is of its bytes and of how they are read, not of how they come', async () => {
  const keys = await Promise.all([
    keyOfContent(cut('a\nb\n', [1]), AS),
    keyOfContent(cut('a\nb\n', [3]), AS),
    keyOfContent(cut('a\nb', [3]), AS),
    keyOfContent(cut('a\nb\n', [3]), { ...AS, format: 'csv' }),
  ]);
  expect(keys[0]).toMatch(/^import-[0-9a-f]{40}$/);
  expect(keys[1]).toBe(keys[0]);
  expect(new Set(keys).size).toBe(3);
});
