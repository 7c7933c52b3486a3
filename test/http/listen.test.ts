import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { listen } from '../../src/http/listen';
import { testApp } from './test-app';

const hello: RequestListener = (_req, res) => void res.end('hello');
const HOST = '127.0.0.1';

test('Port 0 picks a free port, and the URL tells which.', async () => {
  const listening = await listen(hello, { host: HOST, port: 0 });
  expect(listening.url).toBe(`http://127.0.0.1:${listening.port}`);
  expect(await (await fetch(listening.url)).text()).toBe('hello');
  await listening.close({ graceMs: 0 });
  await expect(fetch(listening.url)).rejects.toThrow();
});

test('An IPv6 address stands in brackets in the URL.', async () => {
  const listening = await listen(hello, { host: '::1', port: 0 });
  expect(listening.url).toBe(`http://[::1]:${listening.port}`);
  await listening.close({ graceMs: 0 });
});

test('A taken port is port-in-use, and the setting is named.', async () => {
  const taken = createServer().listen(0, HOST);
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  try {
    await expect(listen(hello, { host: HOST, port })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining('HTTP_PORT'),
      problems: [{ field: 'HTTP_PORT', received: `${port} (number)` }],
    });
  } finally {
    taken.close();
  }
});

test('An address that is not of this machine is invalid-config, and the setting is named.', async () => {
  // TEST-NET-1 of RFC 5737: nobody has it.
  await expect(listen(hello, { host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
    code: 'invalid-config',
    problems: [{ field: 'HTTP_HOST' }],
  });
});

test('A request that runs when closing begins is answered; its connection is closed then, new ones are refused.', async () => {
  const { handler, running } = heldHandler();
  const listening = await listen(handler, { host: HOST, port: 0 });
  const agent = new Agent({ keepAlive: true });
  const sent = get(listening.url, { agent });
  const held = await running;

  const closed = listening.close({ graceMs: 60_000 });
  await expect(fetch(listening.url)).rejects.toThrow();
  held.end('finished');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(await text(response)).toBe('finished');
  await closed;
  agent.destroy();
});

test('An idle connection does not hold the closing up.', async () => {
  const listening = await listen(hello, { host: HOST, port: 0 });
  const agent = new Agent({ keepAlive: true });
  const [response] = (await once(get(listening.url, { agent }), 'response')) as [IncomingMessage];
  await text(response);
  await listening.close({ graceMs: 60_000 });
  agent.destroy();
});

test('A request that outlasts the grace is cut.', async () => {
  const { handler, running } = heldHandler();
  const listening = await listen(handler, { host: HOST, port: 0 });
  const sent = get(listening.url);
  const failed = once(sent, 'error');
  await running;
  await listening.close({ graceMs: 0 });
  const [error] = (await failed) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
});

test('Closing twice waits for the same end.', async () => {
  const listening = await listen(hello, { host: HOST, port: 0 });
  const first = listening.close({ graceMs: 60_000 });
  expect(listening.close({ graceMs: 60_000 })).toBe(first);
  await first;
});

test.each([
  ['its header', 'POST / HTTP/1.1\r\nHost: localhost\r\n'],
  ['its body', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf'],
])('A client that never ends %s is told so and cut.', async (_title, start) => {
  const { handler } = heldHandler();
  const timeouts = { headersMs: 50, requestMs: 100, keepAliveMs: 50 };
  const listening = await listen(handler, { host: HOST, port: 0, timeouts });
  const socket = connect(listening.port, HOST);
  socket.write(start);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[^]*"code":"request-timeout"/);
  await listening.close({ graceMs: 0 });
});

test('A client that goes on sending what was refused is cut, and has its answer before.', async () => {
  const { app } = testApp();
  const timeouts = { requestMs: 200 };
  const listening = await listen(app, { host: HOST, port: 0, timeouts });
  const socket = connect(listening.port, HOST).on('error', () => undefined);
  const header =
    'Host: localhost\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n';
  socket.write(`POST /v1/records HTTP/1.1\r\n${header}6\r\n{oops\n\r\n`);
  const drip = setInterval(() => socket.write('2\r\n1\n\r\n'), 10);
  let answer = '';
  socket.on('data', (piece: Buffer) => (answer += piece.toString()));
  await once(socket, 'close');
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*"code":"invalid-json"/);
  await listening.close({ graceMs: 0 });
});

/** A handler whose answers the test gives; `running` resolves with the first. */
function heldHandler(): { handler: RequestListener; running: Promise<ServerResponse> } {
  let started: (res: ServerResponse) => void = () => {};
  const running = new Promise<ServerResponse>((resolve) => (started = resolve));
  return { handler: (_req, res) => started(res), running };
}
