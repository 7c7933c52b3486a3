import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import pino from 'pino';
import { listen, type Listening, type ListenOptions } from '../../src/http/listen';
import { selfSigned } from '../helpers/certificates';
import { answersIn, sendRaw, type RawAnswer } from '../helpers/raw-http';
import { waitFor } from '../helpers/wait-for';
import { testApp } from './test-app';

/** Connections by the hundred: those within the limit are served, the others are told that they are too many. */
const HOST = '127.0.0.1';
const LIMIT = 3;
const GET = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n';
const sockets: Socket[] = [];
let logs: string[];
let api: Listening;

async function start(options: Partial<ListenOptions> = {}): Promise<void> {
  logs = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void logs.push(line) });
  api = await listen(testApp().app, { host: HOST, port: 0, maxConnections: LIMIT, logger, ...options });
}
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.close({ graceMs: 0 });
});

/** A connection that stays open, once it has been answered. */
async function keepOpen(socket: Socket = connect(api.port, HOST)): Promise<Socket> {
  sockets.push(socket);
  socket.on('error', () => undefined).write(`${GET}\r\n`);
  await once(socket, 'data');
  return socket;
}

const ask = () => sendRaw(api.port, `${GET}Connection: close\r\n\r\n`, { halfClose: false });
const refusals = () =>
  logs.map((line) => JSON.parse(line) as object).filter((line) => 'times' in line && 'code' in line);

function expectTold(answers: RawAnswer[]): void {
  const [{ status, headers, body } = { status: 0, headers: {}, body: '{}' }] = answers;
  expect([answers.length, status, headers['connection'], headers['retry-after']]).toEqual([
    1,
    503,
    'close',
    '5',
  ]);
  expect(JSON.parse(body)).toMatchObject({ code: 'too-many-connections', status: 503 });
}

test('A client beyond the limit is answered that there are too many, and all of them are one line in the log.', async () => {
  await start();
  for (let i = 0; i < LIMIT; i++) await keepOpen();
  for (let i = 0; i < 40; i++) expectTold(await ask());
  expect(refusals()).toEqual([
    expect.objectContaining({ code: 'too-many-connections', maxConnections: LIMIT, times: 1 }),
  ]);
});

test('A connection that ends makes room for another one.', async () => {
  await start();
  const [first] = [await keepOpen(), await keepOpen(), await keepOpen()];
  expectTold(await ask());
  first.destroy();
  const answered = await waitFor('room', async () => (await ask()).find(({ status }) => status === 200));
  expect(answered.body).toBe('{"status":"ok"}');
});

test('A connection beyond the limit that sends nothing is closed, however many there are, and the others go on.', async () => {
  await start();
  const kept = [await keepOpen(), await keepOpen(), await keepOpen()];
  const idle = Array.from({ length: 300 }, () => connect(api.port, HOST).on('error', () => undefined));
  sockets.push(...idle);
  await waitFor('the ends of those that are too many', () => idle.every(({ closed }) => closed));
  expect(kept.map(({ closed }) => closed)).toEqual([false, false, false]);
  expect(await keepOpen(kept[0])).toBe(kept[0]);
});

test('A client that comes by TLS is told as well.', async () => {
  await start({ tls: await selfSigned('api.example') });
  const byTls = () => connectTls({ host: HOST, port: api.port, rejectUnauthorized: false });
  for (let i = 0; i < LIMIT; i++) await keepOpen(byTls());
  const socket = byTls();
  sockets.push(socket);
  let received = '';
  socket.setEncoding('latin1').on('data', (piece: string) => (received += piece));
  socket.write(`${GET}\r\n`);
  await once(socket, 'close');
  expectTold(answersIn(received));
});
