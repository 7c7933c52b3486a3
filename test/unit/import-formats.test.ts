import fc from 'fast-check';
import { KeepapartApiError } from '../../src/client';
import { keyOfContent } from '../../src/cli/commands/import/file-key';
import { formatOf, toNdjson, type Format, type ReadAs } from '../../src/cli/commands/import/formats';
import { inLinesOfFile } from '../../src/cli/commands/import/place-in-file';
import { readAsOf } from '../../src/cli/commands/import/read-as';
import { createSourceLines } from '../../src/cli/commands/import/source-lines';

const AS: ReadAs = { format: 'ndjson', column: undefined, numbers: false, delimiter: undefined };

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

  test.each([
    ['sku\r\na\nb\nc\n', ['a', 'b', 'c']],
    ['sku\na\r\nb\r\n', ['a', 'b']],
    ['sku\na\r\nb\nc\r\nd', ['a', 'b', 'c', 'd']],
    ['sku\ra\rb\r', ['a', 'b']],
    ['sku\n"a\r"\r\n"b\n"\n"c\r\n"\r', ['a\r', 'b\n', 'c\r\n']],
    ['sku\r\n\r\na\n\n\r\nb\r\r\nc', ['a', 'b', 'c']],
  ])('ends each row as that row does, whatever the first one does: %j', async (text, cells) => {
    for (const lengths of [[1], [2], [3], [1000]])
      expect((await csv(text, { column: 'sku' }, lengths)).lines).toBe(
        cells.map((cell) => `${JSON.stringify(cell)}\n`).join(''),
      );
  });

  test.each([
    ['sku;n\na;1\n', ';'],
    ['sku\tn\na\t1\n', '\t'],
    ['sku|n\na|1\n', '|'],
    ['"sku";"n"\n"a";"1"\n', ';'],
    ['name;price, net;n\nx;1,5;2\n', ';'],
  ])(
    'whose columns something else than a comma separates is refused unless that is named: %j',
    async (text, by) => {
      const { lines, error } = await csv(text);
      expect([lines, error]).toEqual([
        '',
        expect.stringMatching(/^line 1: expected .*comma.*; received .*--delimiter/),
      ]);
      expect((await csv(text, { delimiter: by })).lines).toMatch(/^\{"(sku":"a"|name":"x")/);
      const asItIs = await csv(text, { delimiter: ',' });
      expect(asItIs.error ?? '').not.toContain('--delimiter');
    },
  );

  test('may have other separators within its columns', async () => {
    const { lines } = await csv('id,tags a;b,n\n1,x;y,2\n');
    expect(lines).toBe('{"id":"1","tags a;b":"x;y","n":"2"}\n');
  });

  test('names the line of the file in which a row begins', async () => {
    const before = 'a,b\r\n\r\n"1\r\n1\r\n1",2\r\n';
    for (const [text, line] of [
      ['3\r\n', 6],
      ['\n\n3\n', 8],
      ['3,"4', 6],
      ['"3"x,4', 6],
      ['3,9007199254740993\n', 6],
      ['"3\r\n",9007199254740993\n', 6],
    ] as const)
      for (const lengths of [[1], [1000]]) {
        const { error } = await csv(before + text, { numbers: true }, lengths);
        expect(error).toMatch(new RegExp(`^line ${line}: (?!.* line )`));
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
    for (const lengths of [[1], [1000]])
      for (const [text, before, line] of [
        ['a\nb\n\r\nc\nd\xff\n', '{"a":"b"}\n{"a":"c"}\n', 5],
        ['a\nb\nc\xe2\x82', '{"a":"b"}\n', 3],
        ['a\xff\nb', '', 1],
      ] as const) {
        const { lines, error } = await csv(Buffer.from(text, 'latin1'), {}, [...lengths]);
        expect(error).toBe(`line ${line}: expected UTF-8; received other bytes`);
        // Without the row that the parser still looked behind.
        expect(before.startsWith(lines)).toBe(true);
      }
    expect((await csv('a\n€\nä😀\n', { column: 'a' }, [1])).lines).toBe('"€"\n"ä😀"\n');
  });

  test('has to have the column that is named', async () => {
    const { error } = await csv('a,b\n1,2\n', { column: 'c' });
    expect(error).toBe('line 1: expected a column "c"; received the columns ["a","b"]');
  });
});

test('NDJSON goes on byte by byte, without a byte order mark.', async () => {
  const text = '\ufeff{"a":9007199254740993}\r\n\r\nno json\n';
  expect((await sent(text, {}, [1000])).lines).toBe('{"a":9007199254740993}\r\n\r\nno json\n');
  expect((await sent(text, {}, [1])).lines).toBe('{"a":9007199254740993}\r\n\r\nno json\n');
  expect((await sent('\ufeff', {}, [1])).lines).toBe('');
  const bytes = Buffer.from([0x22, 0xff, 0x22]);
  for await (const piece of toNdjson(cut(bytes, [3]), AS))
    expect(Buffer.from(piece as Uint8Array)).toEqual(bytes);
});

test.each(['ndjson', 'json', 'csv'] as const)('UTF-16 is named when it is refused, in %s', async (format) => {
  const text = '\ufeff["a"]\n';
  for (const bytes of [Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()])
    for (const lengths of [[1], [1000]]) {
      const { lines, error } = await sent(bytes, { format }, lengths);
      expect([lines, error]).toEqual(['', 'line 1: expected UTF-8; received UTF-16: save the file as UTF-8']);
    }
  expect((await sent('\ufeff[1]\n', { format: 'json' }, [1])).lines).toBe('1\n');
});

test('The lines of the file are known of each record that was made of them.', async () => {
  const spansOf = async (text: string, format: Format, lengths: number[]) => {
    const lines = createSourceLines();
    let records = 0;
    for await (const piece of toNdjson(cut(text, lengths), { ...AS, format }, lines))
      records += String(piece).split('\n').length - 1;
    return Array.from({ length: records }, (_, i) => lines.of(i + 1));
  };
  for (const lengths of [[1], [7], [1000]]) {
    expect(await spansOf('a,b\n\n1,2\r\n"1\r\n\n",2\n\n1,2', 'csv', lengths)).toEqual([
      { first: 3, last: 3 },
      { first: 4, last: 6 },
      { first: 8, last: 8 },
    ]);
    const list = '[\n  {\n    "a": 1\n  },\n  {\n    "ä€": [\n1]\n  }, 7,\n\n"x"\n]';
    expect(await spansOf(list, 'json', lengths)).toEqual([
      { first: 2, last: 4 },
      { first: 5, last: 8 },
      { first: 8, last: 8 },
      { first: 10, last: 10 },
    ]);
  }
});

test('Records that follow one another evenly take no memory, and of those that do not the last are kept.', () => {
  const even = createSourceLines({ maxRuns: 2 });
  for (let n = 0; n < 1000; n++) even.add({ first: 2 + 4 * n, last: 5 + 4 * n });
  expect([even.of(1), even.of(1000), even.of(1001), even.of(0)]).toEqual([
    { first: 2, last: 5 },
    { first: 3998, last: 4001 },
    undefined,
    undefined,
  ]);
  const uneven = createSourceLines({ maxRuns: 10 });
  for (let n = 0; n < 1000; n++) uneven.add({ first: n * n, last: n * n + (n % 3) });
  expect([uneven.of(1), uneven.of(1000)]).toEqual([undefined, { first: 998_001, last: 998_001 }]);
});

test('The name tells the format, or --format has to.', () => {
  const names = ['a.ndjson', 'a.JSONL', 'a.json', 'b/c.csv', '-', 'c.TSV'];
  expect(names.map((name) => formatOf(name))).toEqual(['ndjson', 'ndjson', 'json', 'csv', 'ndjson', 'csv']);
  expect(() => formatOf('orders.txt')).toThrow('--format');
});

test('The key of a file is of its bytes and of how they are read, not of how they come.', async () => {
  const keys = await Promise.all([
    keyOfContent(cut('a\nb\n', [1]), AS),
    keyOfContent(cut('a\nb\n', [3]), AS),
    keyOfContent(cut('a\nb', [3]), AS),
    keyOfContent(cut('a\nb\n', [3]), { ...AS, format: 'csv' }),
    keyOfContent(cut('a\nb\n', [3]), { ...AS, format: 'csv', delimiter: ',' }),
    keyOfContent(cut('a\nb\n', [3]), { ...AS, format: 'csv', delimiter: ';' }),
  ]);
  expect(keys[4]).toBe(keys[3]);
  expect(keys[0]).toMatch(/^import-[0-9a-f]{40}$/);
  expect(keys[1]).toBe(keys[0]);
  expect(new Set(keys).size).toBe(4);
});

test('What separates the columns of a CSV file is a comma, of a .tsv a tab, or what is named.', () => {
  const delimiters = (
    [
      ['a.csv', undefined],
      ['a.tsv', undefined],
      ['a.tsv', ';'],
      ['a.csv', 'tab'],
      ['a.csv', '\\t'],
      ['a.csv', '€'],
      ['a.csv', ','],
    ] as const
  ).map(([name, delimiter]) => readAsOf(name, { ...(delimiter && { delimiter }) }).delimiter);
  expect(delimiters).toEqual([undefined, '\t', ';', '\t', '\t', '€', ',']);
  for (const delimiter of ['', ';;', '"', '\n', '\r'])
    expect(() => readAsOf('a.csv', { delimiter })).toThrow('--delimiter has to be one character');
  expect(() => readAsOf('a.json', { delimiter: ';' })).toThrow('are for CSV');
});

test('A refusal of the API names lines of the file, or records where those are not known.', () => {
  const lines = createSourceLines();
  lines.add({ first: 3, last: 3 });
  lines.add({ first: 4, last: 6 });
  const refused = (detail: string, field: string) => {
    const problems = [{ field, expected: 'a', received: 'b' }];
    const problem = { status: 400, code: 'invalid-request', detail, problems, accepted: 1 };
    const error = new KeepapartApiError({ ...problem, retryAfterMs: undefined, requestId: 'k' });
    return inLinesOfFile(error, lines) as KeepapartApiError;
  };
  const refusal = refused('line 1: no line 2', 'line 2/a');
  expect(refusal).toMatchObject({ accepted: 1, requestId: 'k', status: 400 });
  expect(refusal.message).toBe('line 3: no line 2\n  lines 4 to 6/a: expected a; received b');
  expect(refused('Line 3 is longer', '/line 1').message).toBe(
    'record 3 is longer\n  /line 1: expected a; received b',
  );
  expect(inLinesOfFile('other', lines)).toBe('other');
});
