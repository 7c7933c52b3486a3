import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { startWebUi, type WebUi } from '../../src/http/web-ui';

let behind: Server;
let target: { host: string; port: number } | undefined;
let webUi: WebUi;
/** What reached Temporal's Web UI: method, target, host and body. */
const reached: string[] = [];

beforeAll(async () => {
  behind = createServer((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => (body += chunk.toString()));
    req.on('end', () => {
      reached.push(`${req.method ?? ''} ${req.url ?? ''} ${req.headers.host ?? ''} ${body}`);
      if (req.url === '/broken') return void res.writeHead(200).write('half', () => res.destroy());
      res
        .writeHead(201, { 'Set-Cookie': ['a=1', 'b=2'], Connection: 'X-Theirs', 'X-Theirs': '1' })
        .end('theirs');
    });
  });
  await new Promise<void>((listening) => behind.listen(0, '127.0.0.1', listening));
  webUi = await startWebUi({ port: 0, allowedHosts: ['ui.example'], target: () => target });
});
afterAll(async () => {
  await webUi.close();
  behind.close();
});
beforeEach(() => {
  reached.splice(0);
  target = { host: '127.0.0.1', port: (behind.address() as AddressInfo).port };
});

/** The whole answer as text; no library mends what is asked. */
async function ask(head: readonly string[], body = ''): Promise<string> {
  const socket = connect(Number(new URL(webUi.url).port), '127.0.0.1');
  socket.write([...head, 'Connection: close', `Content-Length: ${body.length}`, '', body].join('\r\n'));
  return await text(socket);
}

test.each(['127.0.0.1:8233', 'localhost', '[::1]:8233', 'ui.example'])(
  'Requests for %s are handed on.',
  async (host) => {
    const answer = await ask(['POST /api/v1/x?y=1 HTTP/1.1', `Host: ${host}`], '{"a":1}');
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    expect(answer).toMatch(/set-cookie: a=1\r\nset-cookie: b=2\r\n/i);
    expect(answer).not.toMatch(/x-theirs/i);
    expect(answer).toMatch(/theirs$/m);
    expect(reached).toEqual([`POST /api/v1/x?y=1 127.0.0.1:${target?.port} {"a":1}`]);
  },
);

test.each([
  ['for a name of somebody else (DNS rebinding)', 421, ['GET / HTTP/1.1', 'Host: evil.example:8233']],
  ['without a host', 400, ['GET / HTTP/1.1']],
  [
    'that a page of another site sends',
    403,
    ['POST / HTTP/1.1', 'Host: localhost', 'Sec-Fetch-Site: cross-site'],
  ],
  [
    'that a page of another port sends',
    403,
    ['POST / HTTP/1.1', 'Host: localhost:1', 'Origin: http://localhost:2'],
  ],
  ['with a target that is no path', 400, ['GET x:y:z HTTP/1.1', 'Host: localhost']],
] as const)('Requests %s are refused with %i, and reach nobody.', async (_, status, head) => {
  const answer = await ask(head);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toContain('application/problem+json');
  expect(reached).toEqual([]);
});

test('The host in the target counts, whatever the Host says: a foreign one is refused, ours leads where the Host leads.', async () => {
  const answer = await ask(['GET http://elsewhere.example/a?b HTTP/1.1', 'Host: localhost']);
  expect(answer).toMatch(/^HTTP\/1\.1 421 /);
  expect(reached).toEqual([]);
  await ask(['GET http://localhost/a?b HTTP/1.1', 'Host: localhost']);
  expect(reached).toEqual([`GET /a?b 127.0.0.1:${target?.port} `]);
});

test('Where the server is not there, yet or any more, it says so.', async () => {
  target = undefined;
  const none = await ask(['GET / HTTP/1.1', 'Host: localhost']);
  target = { host: '127.0.0.1', port: 9 };
  const away = await ask(['GET / HTTP/1.1', 'Host: localhost']);
  for (const answer of [none, away]) {
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain('temporal-unavailable');
  }
});

test('An answer that breaks off is not taken for a whole one.', async () => {
  await expect(fetch(`${webUi.url}/broken`).then((answer) => answer.text())).rejects.toThrow('terminated');
});
