import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { listen, type Listening } from '../../src/http/listen';
import { answersIn, sendRaw } from '../helpers/raw-http';
import { waitFor } from '../helpers/wait-for';
import { testApp, type TestApp } from './test-app';

/** What one connection may cost: never the process, and no more than a few requests at a time. */
let edge: TestApp;
let api: Listening;
let docsAssets: string;
const SCRIPT = `/* ${'x'.repeat(100_000)} */`;

beforeEach(async () => {
  docsAssets = mkdtempSync(path.join(tmpdir(), 'keepapart-docs-'));
  writeFileSync(path.join(docsAssets, 'swagger-ui-bundle.js'), SCRIPT);
  writeFileSync(path.join(docsAssets, 'swagger-ui.css'), 'body{}');
  edge = testApp({ docsAssets });
  api = await listen(edge.app, { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  await api.close({ graceMs: 0 });
  rmSync(docsAssets, { recursive: true });
});

const SOON = { timeoutMs: 10_000, intervalMs: 10 };
const accepted = () => edge.batcher.accepted.map(({ values }) => values);
const HEADER = 'Host: localhost\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const post = (body: string, headers = '') =>
  `POST /v1/records HTTP/1.1\r\n${HEADER}${JSON_TYPE}${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
const LAST = `GET /healthz HTTP/1.1\r\n${HEADER}Connection: close\r\n\r\n`;

/** A connection of our own, and everything that came over it. */
function open(port = api.port): { socket: Socket; received: () => string } {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
  socket.on('error', () => undefined);
  return { socket, received: () => text };
}

async function expectAlive(port = api.port): Promise<void> {
  expect((await sendRaw(port, LAST)).map(({ status }) => status)).toEqual([200]);
}

test.each(['constructor', 'toString', 'valueOf', '__proto__', 'hasOwnProperty'])(
  'An encoding that is called like a part of every object is unknown like any other, also when its body breaks off: %s.',
  async (encoding) => {
    const release = edge.batcher.hold();
    const { socket } = open();
    const unfinished = post('[2]', `Content-Encoding: ${encoding}\r\n`).replace('Length: 3', 'Length: 300');
    socket.write(post('[1]') + unfinished);
    await waitFor('the list', () => accepted().length === 1, SOON);
    socket.resetAndDestroy();
    release();
    await waitFor('the end of the first request', () => edge.logs.some((l) => l.includes('aborted')), SOON);
    await expectAlive();
    const refused = await sendRaw(api.port, post('[3]', `Content-Encoding: ${encoding}\r\n`) + LAST);
    expect(refused.map(({ status }) => status)).toEqual([415, 200]);
    expect(accepted()).toEqual([[1]]);
  },
);

describe('A mistake of ours that shows when the answer is out already', () => {
  /** A handler whose listener throws late, and what was logged of it. */
  async function failing(listener: RequestListener) {
    const logs: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => void logs.push(line) });
    const listening = await listen(listener, { host: '127.0.0.1', port: 0, logger });
    return { logs, listening };
  }
  const throwLate = () => {
    throw new Error('a mistake of ours');
  };

  test.each<[string, RequestListener]>([
    [
      'to a listener of the answer',
      (req, res) => {
        if (req.url !== '/healthz') res.once('finish', throwLate);
        res.end('fine');
      },
    ],
    [
      'to a listener of the request',
      (req, res) => {
        if (req.url !== '/healthz') req.once('close', throwLate);
        req.resume();
        res.end('fine');
      },
    ],
    [
      'to the handler itself',
      (req, res) => {
        res.end('fine');
        if (req.url !== '/healthz') throwLate();
      },
    ],
  ])('costs that connection alone, and is logged whole: %s.', async (_title, listener) => {
    const { logs, listening } = await failing(listener);
    const { socket } = open(listening.port);
    socket.write(post('[1]'));
    await waitFor('the end of the connection', () => socket.closed, SOON);
    expect(logs.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({
        level: 50,
        err: expect.objectContaining({
          message: 'a mistake of ours',
          stack: expect.stringContaining('one-connection.test.ts') as string,
        }) as object,
      }),
    ]);
    await expectAlive(listening.port);
    await listening.close({ graceMs: 0 });
  });
});

describe('Requests that are sent without waiting for answers', () => {
  const get = (target: string) => `GET ${target} HTTP/1.1\r\n${HEADER}\r\n`;
  const openFiles = () => readdirSync('/proc/self/fd').length;

  test('leave no file open when their client goes.', async () => {
    await sendRaw(api.port, get('/docs/swagger-ui-bundle.js') + LAST);
    const before = openFiles();
    for (let i = 0; i < 3; i++) {
      const { socket, received } = open();
      socket.write(get('/docs/swagger-ui-bundle.js').repeat(300));
      await waitFor('the first answer', () => received().includes('HTTP/1.1 200 OK'), SOON);
      socket.resetAndDestroy();
    }
    await expectAlive();
    await waitFor('the files to be closed', () => openFiles() <= before + 5, { timeoutMs: 3000 });
  });

  test('are each answered in order, however many.', async () => {
    const bodies = Array.from({ length: 1000 }, (_, i) => `[${i}]`);
    const answers = await sendRaw(api.port, bodies.map((body) => post(body)).join('') + LAST);
    expect(answers.map(({ status }) => status)).toEqual([...bodies.map(() => 202), 200]);
    expect(
      answers.slice(0, -1).map(({ body }) => (JSON.parse(body) as { requestId: string }).requestId),
    ).toEqual(bodies.map((_, i) => `r${i + 1}`));
    expect(accepted()).toEqual(bodies.map((body) => JSON.parse(body) as unknown));
  });

  test('are begun a few at a time.', async () => {
    const release = edge.batcher.hold();
    const { socket, received } = open();
    const LISTS = 1500;
    const list = post(JSON.stringify(Array(9).fill('x'.repeat(950))));
    for (let i = 0; i < LISTS; i++) socket.write(list);
    await waitFor('some lists to be handed over', () => accepted().length >= 16, SOON);
    await expectAlive();
    expect(accepted()).toHaveLength(16);
    release();
    await waitFor('all answers', () => received().split('HTTP/1.1 202').length === LISTS + 1, {
      timeoutMs: 50_000,
      intervalMs: 200,
    });
    expect(answersIn(received()).every(({ status }) => status === 202)).toBe(true);
    socket.destroy();
  });

  test('are not begun once their client has gone.', async () => {
    let begun = 0;
    let first: ServerResponse | undefined;
    const hold: RequestListener = (_req, res) => {
      begun++;
      first ??= res;
    };
    const listening = await listen(hold, { host: '127.0.0.1', port: 0 });
    const { socket } = open(listening.port);
    socket.write(get('/').repeat(100));
    await waitFor('the first ones', () => begun >= 16, SOON);
    socket.resetAndDestroy();
    first?.end();
    await listening.close({ graceMs: 60_000 });
    expect(begun).toBe(16);
  });
});
