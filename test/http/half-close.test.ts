import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { listen, type Listening } from '../../src/http/listen';
import { selfSigned } from '../helpers/certificates';
import { answersIn, sendRaw, type RawAnswer } from '../helpers/raw-http';
import { waitFor } from '../helpers/wait-for';
import { testApp, type TestApp } from './test-app';

/** Clients that end their side of the connection behind their request, and still read. */
let edge: TestApp;
let api: Listening;
beforeEach(async () => {
  edge = testApp();
  api = await listen(edge.app, { host: '127.0.0.1', port: 0 });
});
afterEach(() => api.close({ graceMs: 0 }));

const HEADER = 'Host: localhost\r\n';
const get = `GET /v1/status HTTP/1.1\r\n${HEADER}\r\n`;
const post = (body: string, type = 'application/json') =>
  `POST /v1/records HTTP/1.1\r\n${HEADER}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const ask = (message: string) => sendRaw(api.port, message, { halfClose: true });
const statuses = (answers: RawAnswer[]) => answers.map(({ status }) => status);

test.each([
  ['a read', get, [200]],
  ['a list', post('[9]'), [202]],
  ['a stream', post('9\n', 'application/x-ndjson'), [202]],
  ['several requests', post('[1]') + get + post('[2]') + get, [202, 200, 202, 200]],
])('%s is answered to its end, and then the connection is closed.', async (_title, message, expected) => {
  expect(statuses(await ask(message))).toEqual(expected);
});

test('A list is answered when it is durable, however long that takes.', async () => {
  const release = edge.batcher.hold();
  const answers = ask(post('[9]'));
  await waitFor('the list', () => edge.batcher.accepted.length === 1);
  release();
  expect(statuses(await answers)).toEqual([202]);
});

test('A client that ends its side within its request is told that this is none.', async () => {
  expect(statuses(await ask(get + post('[9]').slice(0, -1)))).toEqual([200, 400]);
  expect(edge.batcher.accepted).toEqual([]);
});

test('A client that comes by TLS is answered as well.', async () => {
  const secure = await listen(edge.app, {
    host: '127.0.0.1',
    port: 0,
    tls: await selfSigned('api.example'),
  });
  const release = edge.batcher.hold();
  const socket: Socket = connectTls({ port: secure.port, host: '127.0.0.1', rejectUnauthorized: false });
  const received = text(socket.setEncoding('latin1'));
  await once(socket, 'secureConnect');
  socket.end(post('[9]'));
  await waitFor('the list', () => edge.batcher.accepted.length === 1);
  release();
  expect(statuses(answersIn(await received))).toEqual([202]);
  await secure.close({ graceMs: 0 });
});

test('A client that does not read its answer is cut.', async () => {
  const large = Buffer.alloc(32 * 1024 * 1024);
  let answer: ServerResponse | undefined;
  const send: RequestListener = (_req, res) => void (answer = res).end(large);
  const slow = await listen(send, { host: '127.0.0.1', port: 0, timeouts: { answerMs: 100 } });
  const socket = connect(slow.port, '127.0.0.1').on('error', () => undefined);
  socket.pause();
  socket.write(get);
  await waitFor('the end of the connection', () => answer?.closed, { timeoutMs: 5000 });
  socket.destroy();
  await slow.close({ graceMs: 0 });
});

test('A client that waits for an answer for longer than it may take to read one is not cut.', async () => {
  const waiting = await listen(edge.app, { host: '127.0.0.1', port: 0, timeouts: { answerMs: 20 } });
  const release = edge.batcher.hold();
  const answers = sendRaw(waiting.port, post('[9]'), { halfClose: true });
  await waitFor('the list', () => edge.batcher.accepted.length === 1);
  const idle = connect(waiting.port, '127.0.0.1');
  idle.resume();
  // Has been silent for as long as the first, or less.
  await once(idle, 'close');
  release();
  expect(statuses(await answers)).toEqual([202]);
  await waiting.close({ graceMs: 0 });
});
