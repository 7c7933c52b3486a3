import { ERRORS } from '../../src/domain/errors';
import { listen, type Listening } from '../../src/http/listen';
import { sendRaw } from '../helpers/raw-http';
import { waitFor } from '../helpers/wait-for';
import { testApp, type Problem, type TestApp } from './test-app';

let edge: TestApp;
let api: Listening;
beforeEach(async () => {
  edge = testApp();
  api = await listen(edge.app, { host: '127.0.0.1', port: 0 });
});
afterEach(() => api.close({ graceMs: 0 }));

const JSON_TYPE = 'Content-Type: application/json\r\n';
const post = (headers: string, body: string) =>
  `POST /v1/records HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}${headers}\r\n${body}`;
const accepted = () => edge.batcher.accepted.map(({ values }) => values);

/** What was sent is refused in one answer, and the connection is over. */
async function expectRefused(code: 'malformed-request' | 'header-too-large', message: string): Promise<void> {
  const answers = await sendRaw(api.port, message);
  expect(answers).toHaveLength(1);
  const { status, title } = ERRORS[code];
  const [{ status: answered, headers, body } = { status: 0, headers: {}, body: '{}' }] = answers;
  expect([answered, headers['content-type'], headers['connection']]).toEqual([
    status,
    'application/problem+json; charset=utf-8',
    'close',
  ]);
  expect(JSON.parse(body) as Problem).toEqual({
    type: `urn:keepapart:error:${code}`,
    title,
    status,
    detail: expect.any(String),
    code,
  });
  expect(accepted()).toEqual([]);
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const CHUNKS = '3\r\n[1]\r\n0\r\n\r\n';

describe('A message whose end two readers could see in two places is refused, and nothing of it is taken:', () => {
  test.each([
    ['Content-Length and Transfer-Encoding', post(`Content-Length: 3\r\n${CHUNKED}`, CHUNKS)],
    ['Transfer-Encoding and Content-Length', post(`${CHUNKED}Content-Length: 13\r\n`, CHUNKS)],
    ['two lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', '[1] ')],
    ['two equal lengths', post('Content-Length: 3\r\nContent-Length: 3\r\n', '[1]')],
    ['lengths in a list', post('Content-Length: 3, 3\r\n', '[1]')],
    ['a length with a sign', post('Content-Length: +3\r\n', '[1]')],
    ['a length that is no number', post('Content-Length: 0x3\r\n', '[1]')],
    ['a length beyond all numbers', post(`Content-Length: ${'9'.repeat(40)}\r\n`, '[1]')],
    ['a space before the colon', post('Content-Length : 3\r\n', '[1]')],
    ['an encoding that is not the last', post('Transfer-Encoding: chunked, identity\r\n', CHUNKS)],
    ['chunks in chunks', post(`${CHUNKED}${CHUNKED}`, CHUNKS)],
    ['two encodings', post(`${CHUNKED}Transfer-Encoding: identity\r\n`, CHUNKS)],
    ['an encoding that is none', post('Transfer-Encoding: xchunked\r\n', CHUNKS)],
    ['a folded header', post('Transfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n', '[1]')],
    ['a chunk whose size is none', post(CHUNKED, 'zz\r\n[1]\r\n0\r\n\r\n')],
    ['a chunk that is longer than its size', post(CHUNKED, '2\r\n[1]\r\n0\r\n\r\n')],
    ['a chunk that ends in a bare line feed', post(CHUNKED, '3\n[1]\n0\n\n')],
    ['a header that ends in a bare carriage return', post('X: a\rContent-Length: 3\r\n', '[1]')],
    ['a zero byte in a header', post('X: a\0b\r\nContent-Length: 3\r\n', '[1]')],
  ])('%s.', async (_title, message) => {
    await expectRefused('malformed-request', message);
  });
});

test.each([
  ['no HTTP', 'hello\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'],
  ['a method that is none', 'BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['another protocol', 'GET / ICE/1.0\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['half a header', 'GET / HTTP/1.1\r\nHost'],
  ['half a body', post('Content-Length: 30\r\n', '[1]')],
])('%s is refused as no HTTP.', async (_title, message) => {
  await expectRefused('malformed-request', message);
});

test.each([
  ['without a host', ''],
  ['with two hosts', 'Host: a\r\nHost: b\r\n'],
  ['with the same host twice', 'Host: a\r\nHost: a\r\n'],
])('A request %s is refused before anything else is asked of it.', async (_title, hosts) => {
  const message = `POST /v1/records HTTP/1.1\r\n${hosts}${JSON_TYPE}Connection: close\r\nContent-Length: 3\r\n\r\n[1]`;
  const [answer] = await sendRaw(api.port, message, { halfClose: false });
  expect(answer?.status).toBe(400);
  expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'malformed-request' });
  expect(accepted()).toEqual([]);
});

test('A probe that speaks HTTP/1.0 needs no host.', async () => {
  const [answer] = await sendRaw(api.port, 'GET /healthz HTTP/1.0\r\n\r\n', { halfClose: false });
  expect(answer?.status).toBe(200);
});

describe('What comes behind the chunks of a body', () => {
  const last = 'Connection: close\r\n';

  test('changes nothing of the request: no key, no host.', async () => {
    const trailers = 'Idempotency-Key: k\r\nHost: elsewhere.example\r\nX-Request-Id: mine\r\n';
    const message = post(`${CHUNKED}Trailer: Idempotency-Key\r\n${last}`, `3\r\n[1]\r\n0\r\n${trailers}\r\n`);
    const [answer] = await sendRaw(api.port, message, { halfClose: false });
    expect([answer?.status, accepted(), edge.batcher.onceOnly]).toEqual([202, [[1]], []]);
    expect(answer?.headers['x-request-id']).not.toBe('mine');
  });

  test('is refused when it speaks of the length of the body.', async () => {
    await expectRefused('malformed-request', post(CHUNKED, '3\r\n[1]\r\n0\r\nContent-Length: 7\r\n\r\n'));
  });

  test('is refused when it is too large, and nothing is taken.', async () => {
    const large = `X-Large: ${'a'.repeat(17_000)}\r\n`;
    await expectRefused('header-too-large', post(CHUNKED, `3\r\n[1]\r\n0\r\n${large}\r\n`));
  });
});

test('A header of more than 16 KiB is 431, in one piece or in many.', async () => {
  await expectRefused('header-too-large', post(`X-Large: ${'a'.repeat(17_000)}\r\n`, ''));
  await expectRefused('header-too-large', post('X-Many: a\r\n'.repeat(3000), ''));
  await expectRefused('header-too-large', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\n\r\n`);
});

test('Of many small headers none is lost, not even the last (G5).', async () => {
  const key = 'Idempotency-Key: k\r\n';
  const [answer] = await sendRaw(
    api.port,
    post(`${'a:\r\n'.repeat(3000)}${key}Content-Length: 3\r\n`, '[1]'),
  );
  expect([answer?.status, edge.batcher.onceOnly]).toEqual([202, ['k']]);
});

describe('What follows a request on its connection', () => {
  const one = post('Content-Length: 3\r\n', '[1]');
  const last = post('Content-Length: 3\r\nConnection: close\r\n', '[2]');
  const get = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

  test('is answered after it, in order, when it is a request too.', async () => {
    const answers = await sendRaw(api.port, one + get + last, { halfClose: false });
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 202]);
    expect(accepted()).toEqual([[1], [2]]);
  });

  test('takes nothing away from its answer when it is none: a list that is kept is never called refused (G3).', async () => {
    const release = edge.batcher.hold();
    const answers = sendRaw(api.port, `${one} `, { halfClose: false });
    await waitFor('the list to be handed over', () => accepted().length === 1);
    release();
    expect((await answers).map(({ status }) => status)).toEqual([202]);
    expect(accepted()).toEqual([[1]]);
  });

  test('is refused by itself when the answer is out.', async () => {
    const answers = await sendRaw(api.port, get + post('Content-Length: 30\r\n', '[1]'));
    expect(answers[0]?.status).toBe(200);
    expect(answers.length).toBeLessThanOrEqual(2);
    expect(accepted()).toEqual([]);
  });

  test('adds nothing to the refusal of a body that was not read.', async () => {
    const refused =
      'POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 30\r\n\r\nhalf';
    expect((await sendRaw(api.port, refused)).map(({ status }) => status)).toEqual([415]);
  });
});
