import { KeepapartError } from '../../src/domain/errors';
import { waitFor } from '../helpers/wait-for';
import { closeGateways, testGateway } from './test-gateway';

afterEach(closeGateways);

const SAVED = 'has been save info data: ';

test('The reply to a list is the old one, to the letter: a comma and a space between, no line end.', async () => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  expect(await client.ask('[1,2,3,4,5]', ']')).toBe('has been save info data: [1, 2, 3, 4, 5]');
  expect(gateway.batcher.accepted).toEqual([{ requestId: 'r1', values: [1, 2, 3, 4, 5] }]);
  expect(gateway.batcher.onceOnly).toEqual([]);
});

test.each([
  ['in single quotes', `'[1,2,3,4]'`],
  ['in double quotes', '"[1,2,3,4]"'],
  ['with a line end', '[1,2,3,4]\n'],
  ['with a line end of Windows', '[1,2,3,4]\r\n'],
  ['in quotes with spaces and a line end', `  ' [ 1, 2, 3 , 4 ] ' \r\n`],
  ['over several lines', '[\n  1,\n  2,\n  3,\n  4\n]\n'],
  ['with the NUL of a C string', '[1,2,3,4]\0'],
])('A list is taken %s.', async (_title, sent) => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  expect(await client.ask(sent, ']')).toBe(`${SAVED}[1, 2, 3, 4]`);
  expect(await client.ask('[5]', ']')).toBe(`${SAVED}[5]`);
  expect(gateway.taken()).toEqual([[1, 2, 3, 4], [5]]);
});

test('Records of every kind are taken; in the reply, what is not a whole number is compact JSON.', async () => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  const list = ['a]b', 'it\'s "quoted"\n', -1.5, null, true, { a: [1, { b: '}' }], ü: '😀' }];
  for (const quote of ['', "'", '"']) {
    expect(await client.ask(`${quote}${JSON.stringify(list)}${quote}`, '}]')).toBe(
      `${SAVED}["a]b", "it's \\"quoted\\"\\n", -1.5, null, true, {"a":[1,{"b":"}"}],"ü":"😀"}]`,
    );
  }
  expect(gateway.taken()).toEqual([list, list, list]);
});

test.each([
  ['in front of the first list', ['\uFEFF[1]', '[2]']],
  ['in front of each list', ['\uFEFF[1]', '\r\n\uFEFF[2]']],
  ['in front of a list in quotes', ["\uFEFF'[1]'", '[2]']],
])('A byte order mark %s is passed over, wherever its bytes are cut.', async (_title, texts) => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  for (const [i, text] of texts.entries()) {
    for (const byte of Buffer.from(text)) client.send(Buffer.from([byte]));
    expect(await client.receive(']')).toBe(`has been save info data: [${i + 1}]`);
  }
  expect(gateway.taken()).toEqual([[1], [2]]);
});

test('Half a byte order mark is a mistake like any other.', async () => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  client.send(Buffer.concat([Buffer.from([0xef, 0xbb]), Buffer.from('[1]\n')]));
  expect(await client.receive('\n')).toMatch(/^error invalid-json, /);
  expect(await client.ask('[2]', ']')).toBe('has been save info data: [2]');
});

test('A reply has nothing in it that a terminal would obey; what is kept has it.', async () => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  const obeyed = '\u007f\u0085\u009b31m\u061c\u200e\u202e\u2028\u2066';
  const list = [obeyed, { [obeyed]: 'é€😀' }];
  const reply = await client.ask(JSON.stringify(list), ']');
  const escaped = '\\u007f\\u0085\\u009b31m\\u061c\\u200e\\u202e\\u2028\\u2066';
  expect(reply).toBe(`has been save info data: ["${escaped}", {"${escaped}":"é€😀"}]`);
  expect(JSON.parse(reply.slice(reply.indexOf('[')))).toEqual(list);
  expect(gateway.taken()).toEqual([list]);
  const refused = await client.ask(JSON.stringify([1, [obeyed]]).replace('[1', `[{"${obeyed}":1e999}`), '\n');
  expect(refused).toMatch(/^error invalid-request, [^\p{Cc}\p{Cf}\u2028]+\n$/u);
});

test('A list may come in pieces, cut anywhere, also within a character; several may come in one.', async () => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  client.socket.setNoDelay(true);
  for (const byte of Buffer.from('\'["ü😀",1]\'')) {
    client.send(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  expect(await client.receive('1]')).toBe(`${SAVED}["ü😀", 1]`);
  expect(await client.ask(`[1][2]\n'[3]' "[4]"\r\n[5]`, '[5]')).toBe(
    [1, 2, 3, 4, 5].map((value) => `${SAVED}[${value}]`).join(''),
  );
  expect(gateway.taken()).toEqual([['ü😀', 1], [1], [2], [3], [4], [5]]);
});

test.each(['exit', 'exit\n', '  exit \r\n', "'exit'", '" exit "\n', '[7]exit'])(
  '%j ends that connection and nothing else.',
  async (sent) => {
    const gateway = await testGateway();
    const [leaving, staying] = [await gateway.connect(), await gateway.connect()];
    leaving.send(sent);
    expect(await leaving.ended).toBe(sent.startsWith('[7]') ? `${SAVED}[7]` : '');
    expect(await staying.ask('[1]', ']')).toBe(`${SAVED}[1]`);
  },
);

test('What comes behind exit is not taken.', async () => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  client.send('[1]\nexit\n[2]\n');
  expect(await client.ended).toBe(`${SAVED}[1]`);
  expect(gateway.taken()).toEqual([[1]]);
});

test('Empty lines have no answer.', async () => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  expect(await client.ask('\n\r\n  \n[1]\n\n\n[2]\n', '[2]')).toBe(`${SAVED}[1]${SAVED}[2]`);
});

describe('What can not be taken has one line for an answer, and the connection stays:', () => {
  test.each([
    ['words', 'hello', 'invalid-json'],
    ['words in quotes', `'hello' [9]`, 'invalid-json'],
    ['a word that begins like exit', 'exiting\n', 'invalid-json'],
    ['numbers without brackets', '1,2,3', 'invalid-json'],
    ['a list in a sentence', 'please save [9]\n', 'invalid-json'],
    ['a quote that is not closed', `'[9]\n`, 'invalid-json'],
    ['a quote that is closed by another', `'[9]"\n`, 'invalid-json'],
    ['nothing in quotes', `''`, 'invalid-json'],
    ['a closing bracket', ']\n', 'invalid-json'],
    ['a list that is not JSON', '[1, oops, [9], {"a": [9]}]', 'invalid-json'],
    ['a list of Python', `['a', [9], True]`, 'invalid-json'],
    ['a string that is not closed', '["a, 9]\n', 'invalid-json'],
    ['brackets that do not fit', '[9}', 'invalid-json'],
    ['code', `__import__('os').system('true')\n`, 'invalid-json'],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x80]), 'invalid-json'],
    ['bytes that are no UTF-8 in a list', Buffer.from('["\xff"]', 'latin1'), 'invalid-json'],
    ['no records', '[]', 'invalid-request'],
    ['a list in the list', '[9,[9]]', 'invalid-request'],
    ['an object', '{"records":\n[9]\n}', 'invalid-request'],
    ['a number that would be rounded', '[9007199254740993]', 'invalid-request'],
    ['a key that occurs twice', '[{"a":1,"a":2}]', 'invalid-request'],
    ['a record beyond its bound', JSON.stringify(['x'.repeat(1000)]), 'invalid-request'],
    ['too many records', JSON.stringify(Array(51).fill(9)), 'invalid-request'],
  ])('%s.', async (_title, sent, code) => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    expect(await client.ask(sent, '\n')).toMatch(
      new RegExp(`^error ${code}, do not repeat: [\\x20-\\x7e]+\\n$`),
    );
    expect(await client.ask('[1]', ']')).toBe(`${SAVED}[1]`);
    expect(gateway.taken()).toEqual([[1]]);
  });

  test.each([
    ['an object', '{bad', 'invalid-request'],
    ['a list', '[bad', 'invalid-json'],
    ['a list with text behind records', '[1,2 and [9]', 'invalid-json'],
    ['a list in quotes', `'[9},`, 'invalid-json'],
  ])('%s that can not become JSON any more is not waited for.', async (_title, sent, code) => {
    const gateway = await testGateway({}, { mistakeMs: 1 });
    const client = await gateway.connect();
    expect(await client.ask(sent, '\n')).toMatch(new RegExp(`^error ${code}, do not repeat: [^\n]+\n$`));
    expect(await client.ask('[1]', ']')).toBe(`${SAVED}[1]`);
    expect(gateway.taken()).toEqual([[1]]);
  });

  test('a list with a mistake in it comes whole if it comes in pieces: no list in it is taken.', async () => {
    const gateway = await testGateway({}, { mistakeMs: 60_000 });
    const [client, other] = [await gateway.connect(), await gateway.connect()];
    for (const piece of ['[oops,', '[9]', ',{"a":', '[9],"b":[9]}']) {
      client.send(piece);
      // Has been read once another connection has its answer.
      await other.ask('?', '\n');
    }
    expect(client.received()).toBe('');
    expect(await client.ask('][1]', '[1]')).toMatch(
      /^error invalid-json, [^\n]+\nhas been save info data: \[1\]$/,
    );
    expect(gateway.taken()).toEqual([[1]]);
  });

  test('of a client that ends its side after a mistake nothing more is waited for.', async () => {
    const gateway = await testGateway({}, { mistakeMs: 60_000 });
    const client = await gateway.connect();
    client.socket.end('[1][bad');
    expect(await client.ended).toMatch(/^has been save info data: \[1\]error invalid-json, [^\n]+\n$/);
  });

  test('the place is named, and what is quoted can not break the line.', async () => {
    const client = await (await testGateway()).connect();
    const line = await client.ask('[{"a":[]},\n\u001b]', '\n');
    expect(line).toMatch(/^error invalid-json, do not repeat: [^\p{Cc}]+\n$/u);
    expect(await client.ask('[1,[],[2]]', '\n')).toBe(
      'error invalid-request, do not repeat: The records are not valid; none was accepted ' +
        '(/1: expected a record that is not itself a list, received [] (array), and 1 more)\n',
    );
  });

  test('a list that is too large is dropped to its end, lists in it and all.', async () => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    const list = JSON.stringify(Array(100_000).fill({ a: [9] }));
    expect(await client.ask(`${list}[1]`, ']')).toMatch(
      /^error request-too-large, do not repeat: The list is larger than 10000 bytes\nhas been save info data: \[1\]$/,
    );
    expect(gateway.taken()).toEqual([[1]]);
  });

  test('what stands behind a mistake on its line belongs to it; the next line does not.', async () => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    expect(await client.ask('x [9] [9]\n[1]\ny\n[2]', '[2]')).toMatch(
      /^error [^\n]+\nhas been save info data: \[1\]error [^\n]+\nhas been save info data: \[2\]$/,
    );
    expect(gateway.taken()).toEqual([[1], [2]]);
  });
});

describe('A refusal of the ingest is one line that says whether and when to repeat:', () => {
  const unknown = 'It is not known whether the list was accepted; our log has details under r1';
  const away = { cause: 'beneath', retryAfterMs: 1000 };
  test.each([
    [
      'a full buffer',
      new KeepapartError('buffer-full', 'Full', { retryAfterMs: 1200 }),
      'buffer-full, repeat after 2 s: Full',
    ],
    [
      'no Temporal',
      new KeepapartError('temporal-unavailable', '10.0.0.1 is away', away),
      `temporal-unavailable, repeat after 1 s: ${unknown}`,
    ],
    [
      'no Temporal, for a time that nobody told',
      new KeepapartError('temporal-unavailable', 'Away'),
      'temporal-unavailable, repeat after 2 s: Away',
    ],
    ['a bug', new Error('secret'), `internal, repeat later: ${unknown}`],
    [
      'an error that is not for clients',
      new KeepapartError('store-failed', 'secret'),
      `internal, repeat later: ${unknown}`,
    ],
  ])('%s.', async (_title, failure, line) => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    gateway.batcher.failure = failure;
    expect(await client.ask('[1]', '\n')).toBe(`error ${line}\n`);
    gateway.batcher.failure = undefined;
    expect(await client.ask('[2]', ']')).toBe(`${SAVED}[2]`);
  });

  test('while the process is about to stop.', async () => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    gateway.drain.on = true;
    expect(await client.ask('[1]', '\n')).toBe(
      'error not-ready, repeat after 5 s: This process is shutting down; nothing was accepted\n',
    );
    expect(gateway.taken()).toEqual([]);
  });
});

test('G3: nothing is replied before the batcher has the records.', async () => {
  const gateway = await testGateway();
  const [client, other] = [await gateway.connect(), await gateway.connect()];
  const release = gateway.batcher.hold();
  client.send('[1]');
  await waitFor('the list', () => gateway.taken().length === 1);
  // Two round trips on the same server: a reply that had been sent would be here by then.
  for (let i = 0; i < 2; i++) await other.ask('?', '\n');
  expect(client.received()).toBe('');
  release();
  expect(await client.receive(']')).toBe(`${SAVED}[1]`);
});

test('Lists of one connection go one after the other, connections side by side.', async () => {
  const gateway = await testGateway();
  const [first, second] = [await gateway.connect(), await gateway.connect()];
  const release = gateway.batcher.hold();
  first.send('[1][2]');
  await waitFor('the first list', () => gateway.taken().length === 1);
  first.send('[3]');
  second.send('[4]');
  await waitFor('the list of the other connection', () => gateway.taken().length === 2);
  expect(gateway.taken()).toEqual([[1], [4]]);
  release();
  expect(await first.receive('[3]')).toBe(`${SAVED}[1]${SAVED}[2]${SAVED}[3]`);
  expect(await second.receive(']')).toBe(`${SAVED}[4]`);
});

test('The log has one line per list, with ids and counts and without values.', async () => {
  const gateway = await testGateway();
  const client = await gateway.connect();
  await client.ask('["value-a"]', ']');
  await client.ask('["value-b", value-c]', '\n');
  await client.ask('value-d', '\n');
  await client.ask('["value-e",["value-f"]]', '\n');
  gateway.batcher.failure = new Error('beneath');
  await client.ask('["value-g"]', '\n');
  const lines = gateway.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
  const told = lines.filter(({ level }) => Number(level) >= 30);
  expect(told.map(({ msg, code, requestId, records }) => [msg, code, requestId, records])).toEqual([
    ['list accepted', undefined, 'r1', 1],
    ['list refused', 'invalid-json', 'r2', undefined],
    ['message refused', 'invalid-json', undefined, undefined],
    ['list refused', 'invalid-request', 'r3', undefined],
    ['list failed', 'internal', 'r4', undefined],
  ]);
  expect(told.every(({ connection }) => connection === 1)).toBe(true);
  expect(gateway.logs.join('')).toContain('beneath');
  expect(gateway.logs.join('')).not.toContain('value-');
});
