import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import pino from 'pino';
import { startGateway } from '../../src/tcp/gateway';
import { FakeBatcherClient } from '../helpers/fake-batcher-client';
import type { LineClient } from '../helpers/line-client';
import { waitFor } from '../helpers/wait-for';
import { closeGateways, testGateway } from './test-gateway';

afterEach(() => {
  jest.useRealTimers();
  return closeGateways();
});

const SAVED = 'has been save info data: ';
const MINUTE = 60_000;
/** Long enough for a busy machine to read what a client sends as soon as it is connected. */
const HALF_A_SECOND = 500;

describe('Clients that go away:', () => {
  test('of a list that did not come whole, nothing is taken.', async () => {
    const gateway = await testGateway();
    const [leaving, vanishing, staying] = [
      await gateway.connect(),
      await gateway.connect(),
      await gateway.connect(),
    ];
    leaving.send('[1][2,[3],{"a":[4]}');
    leaving.socket.end();
    expect(await leaving.ended).toMatch(
      /^has been save info data: \[1\]error list-unfinished, repeat later: The connection ended before [^\n]+\n$/,
    );
    await vanishing.ask('[5]', ']');
    vanishing.send('[6,[7]');
    vanishing.vanish();
    expect(await staying.ask('[8]', ']')).toBe(`${SAVED}[8]`);
    expect(gateway.taken()).toEqual([[1], [5], [8]]);
  });

  test('what came whole is taken, also when nobody is there any more for the reply.', async () => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    const release = gateway.batcher.hold();
    client.send('[1][2]');
    await waitFor('the first list', () => gateway.taken().length === 1);
    client.vanish();
    await once(client.socket, 'close');
    release();
    await waitFor('the second list', () => gateway.taken().length === 2);
    expect(gateway.taken()).toEqual([[1], [2]]);
  });

  test('one that has sent its last list and says so still gets its reply.', async () => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    const release = gateway.batcher.hold();
    client.socket.end('[1]\n[2]\n');
    await waitFor('the list', () => gateway.taken().length === 1);
    release();
    expect(await client.ended).toBe(`${SAVED}[1]${SAVED}[2]`);
  });
});

describe('Clients that take too long:', () => {
  test('a list whose end does not come is not taken; as nobody knows where it ends, the connection does.', async () => {
    const gateway = await testGateway({}, { listMs: 50 });
    const client = await gateway.connect();
    client.send('[1]');
    client.send('[2,[3]');
    expect(await client.ended).toMatch(
      /^has been save info data: \[1\]error list-unfinished, repeat later: [^\n]+\n$/,
    );
    expect(gateway.taken()).toEqual([[1]]);
  });

  test('one that sends a list byte by byte is not given longer.', async () => {
    const gateway = await testGateway({}, { listMs: 100 });
    const client = await gateway.connect();
    client.send('[');
    const drip = setInterval(() => client.send('1'), 5);
    expect(await client.ended).toMatch(/^error list-unfinished/);
    clearInterval(drip);
    expect(gateway.taken()).toEqual([]);
  });

  test('the time of a list begins with it: lists before it do not count.', async () => {
    // The gateway's own timers alone: sockets go on.
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    const gateway = await testGateway({}, { listMs: MINUTE });
    const client = await gateway.connect();
    client.send('[0');
    for (let i = 1; i < 5; i++) {
      expect(await client.ask(`][${i}`, ']')).toBe(`${SAVED}[${i - 1}]`);
      jest.advanceTimersByTime(MINUTE - 1);
    }
    jest.advanceTimersByTime(1);
    expect(await client.ended).toMatch(/^error list-unfinished/);
  });

  test('a connection without a byte is closed without a word.', async () => {
    const gateway = await testGateway({}, { idleMs: HALF_A_SECOND });
    const client = await gateway.connect();
    await client.ask('[1]', ']');
    expect(await client.ended).toBe('');
  });

  test('a connection over which nothing but blank bytes come is closed likewise.', async () => {
    const gateway = await testGateway({}, { idleMs: HALF_A_SECOND });
    const client = await gateway.connect();
    const drip = setInterval(() => client.send('\n \0'), 20);
    expect(await client.ended).toBe('');
    clearInterval(drip);
  });

  test('a connection that waits for its reply is not idle.', async () => {
    const gateway = await testGateway({}, { idleMs: HALF_A_SECOND });
    const client = await gateway.connect();
    const release = gateway.batcher.hold();
    client.send('[1]');
    await waitFor('the list', () => gateway.taken().length === 1);
    const silent = await gateway.connect();
    // Has been silent for as long as the first, or less.
    expect(await silent.ended).toBe('');
    release();
    expect(await client.ended).toBe(`${SAVED}[1]`);
  });

  test('one that has left with our goodbye unread does not hold its connection.', async () => {
    const gateway = await testGateway({}, { lingerMs: 20 });
    const client = await gateway.connect();
    client.socket.pause();
    // With a text: the end of a connection over which nothing more came is noticed also by who doesn't read.
    client.send('GET / HTTP/1.1\r\n\r\n');
    await waitFor('the end', () => gateway.logs.some((line) => line.includes('connection closed')));
  });
});

test('What a client still sends after our goodbye is read and dropped, so that it comes to read that.', async () => {
  const gateway = await testGateway({}, { lingerMs: MINUTE });
  const client = await gateway.connect();
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\n\r\n');
  for (let i = 0; i < 8; i++) client.send(Buffer.alloc(1024 * 1024, ' '));
  await waitFor('all to be read', () => client.socket.writableLength === 0);
  client.socket.end();
  client.socket.resume();
  expect(await client.ended).toMatch(/^error wrong-protocol, do not repeat: [^\n]+\n$/);
  expect(gateway.taken()).toEqual([]);
});

describe('Clients that send too much:', () => {
  const MEGABYTE = Buffer.alloc(1024 * 1024, ' ');

  test('nothing is read while a list is under way, so the client is held up and not our memory.', async () => {
    const gateway = await testGateway();
    const [client, other] = [await gateway.connect(), await gateway.connect()];
    const release = gateway.batcher.hold();
    client.send('[1]');
    await waitFor('the list', () => gateway.taken().length === 1);
    for (let i = 0; i < 32; i++) client.send(MEGABYTE);
    await untilStuck(client, other);
    release();
    expect(await client.ask('[2]', '[2]')).toBe(`${SAVED}[1]${SAVED}[2]`);
  });

  test('one that does not read its replies is held up too.', async () => {
    const gateway = await testGateway();
    const [client, other] = [await gateway.connect(), await gateway.connect()];
    client.socket.pause();
    const list = JSON.stringify(Array(9).fill('x'.repeat(990)));
    for (let i = 0; i < 3000; i++) client.send(list);
    await untilStuck(client, other);
    client.socket.resume();
    await waitFor('all lists', () => gateway.taken().length === 3000);
  });

  /** Waits until what a client has to send gets no less while the server does other work. */
  async function untilStuck(client: LineClient, other: LineClient): Promise<void> {
    let before: number;
    do {
      before = client.socket.writableLength;
      for (let i = 0; i < 20; i++) await other.ask('?', '\n');
    } while (client.socket.writableLength < before);
    expect(client.socket.writableLength).toBeGreaterThan(0);
  }
});

test('Many at once are served; beyond the bound one line says so, and a place that is left is free again.', async () => {
  const gateway = await testGateway({}, { maxConnections: 20 });
  const clients = await Promise.all(Array.from({ length: 20 }, () => gateway.connect()));
  const replies = await Promise.all(clients.map((client, i) => client.ask(`[${i}]`, ']')));
  expect(replies).toEqual(clients.map((_client, i) => `${SAVED}[${i}]`));

  const refused = await gateway.connect();
  refused.send('[99]');
  expect(await refused.ended).toMatch(
    /^error too-many-connections, repeat after 5 s: 20 clients are connected/,
  );
  clients[0]?.send('exit');
  await clients[0]?.ended;
  const next = await waitFor('a free place', async () => {
    const client = await gateway.connect();
    client.send('[20]');
    return (await Promise.race([client.ended, client.receive(']')])).startsWith(SAVED) && client;
  });
  expect(await next.ask('[21]', ']')).toBe(`${SAVED}[21]`);
  expect(gateway.taken()).toHaveLength(22);
});

describe('What speaks another protocol is told so and cut, and nothing in it is taken:', () => {
  test.each([
    ['a form that a web page posts', 'POST / HTTP/1.1\r\nHost: 127.0.0.1:9999\r\n\r\n[1,2]\r\n'],
    ['a page that a browser gets', 'GET /[1,2] HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a request whose first line was mangled', 'X\nHost: x\r\n\r\n[1,2]'],
    ['a TLS handshake', Buffer.from('\x16\x03\x01\n[1,2]\n', 'latin1')],
  ])('%s.', async (_title, sent) => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    client.send(sent);
    client.send('\n[3]\n');
    expect(await client.ended).toMatch(/error wrong-protocol, do not repeat: [^\n]+\n$/);
    expect(gateway.taken()).toEqual([]);
  });
});

describe('Closing:', () => {
  test('a list that is under way is finished and replied to, those behind it are refused, idle ones are ended.', async () => {
    const gateway = await testGateway();
    const [busy, idle, midway] = [await gateway.connect(), await gateway.connect(), await gateway.connect()];
    const release = gateway.batcher.hold();
    await idle.ask('?', '\n');
    await midway.ask('?\n[7,', '\n');
    busy.send('[1][2]');
    await waitFor('the list', () => gateway.taken().length === 1);

    gateway.drain.on = true;
    const closed = gateway.close({ graceMs: MINUTE });
    expect(await idle.ended).toBe('');
    expect(await midway.ended).toMatch(/^error not-ready, repeat after 5 s: [^\n]+\n$/);
    await expect(gateway.connect()).rejects.toThrow('ECONNREFUSED');
    release();
    expect(await busy.ended).toMatch(/^has been save info data: \[1\]error not-ready, [^\n]+\n$/);
    await closed;
    expect(gateway.taken()).toEqual([[1]]);
  });

  test('what outlasts the grace is cut.', async () => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    gateway.batcher.hold();
    client.send('[1]');
    await waitFor('the list', () => gateway.taken().length === 1);
    await gateway.close({ graceMs: 0 });
    expect(await client.ended).toBe('');
  });

  test('it waits for a list of a client that has left.', async () => {
    const gateway = await testGateway();
    const client = await gateway.connect();
    const release = gateway.batcher.hold();
    client.send('[1]');
    await waitFor('the list', () => gateway.taken().length === 1);
    client.vanish();
    await once(client.socket, 'close');
    let over = false;
    const closed = gateway.close({ graceMs: MINUTE }).then(() => (over = true));
    await expect(gateway.connect()).rejects.toThrow('ECONNREFUSED');
    expect(over).toBe(false);
    release();
    await closed;
  });

  test('twice waits for the same end.', async () => {
    const gateway = await testGateway();
    const first = gateway.close({ graceMs: MINUTE });
    expect(gateway.close({ graceMs: MINUTE })).toBe(first);
    await first;
  });
});

test('A taken port is port-in-use, and the setting is named.', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const deps = {
    batcher: new FakeBatcherClient(),
    limits: { maxRecordBytes: 1, maxRequestBytes: 1, maxRequestRecords: 1 },
    logger: pino({ level: 'silent' }),
    isDraining: () => false,
  };
  try {
    await expect(startGateway(deps, { port })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining('KEEPAPART_TCP_PORT'),
      problems: [{ field: 'TCP_PORT', received: `${port} (number)` }],
    });
  } finally {
    taken.close();
  }
});

test('Only this machine can reach it.', async () => {
  const gateway = await testGateway();
  expect(gateway.address).toBe(`127.0.0.1:${gateway.port}`);
});
