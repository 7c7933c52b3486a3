import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createEndpoint, type EndpointOptions } from '../../src/store/http/endpoint';
import { isPublicAddress } from '../../src/store/http/addresses';
import { signedHeaders } from '../../src/store/http/signing';
import { listening, SECRET } from '../helpers/store-subjects';
import { BATCH, record } from '../helpers/store-folders';

const OTHER_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const RECORDS = [record(1), record(2, { name: 'Zoë' })];

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

let server: Server;
let received: Received[];
let answer: { status: number; headers?: Record<string, string>; body?: string };
let url: string;
beforeEach(async () => {
  received = [];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      if (answer.status !== 0) response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  url = await listening(server);
});
afterEach(() => {
  endpoints.splice(0).forEach((endpoint) => void endpoint.close());
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const endpoints: ReturnType<typeof createEndpoint>[] = [];
function open(options: Partial<EndpointOptions> = {}) {
  const endpoint = createEndpoint({ url, secrets: [SECRET], allowsPrivate: true, ...options });
  endpoints.push(endpoint);
  return endpoint;
}
const call = (signal = new AbortController().signal) => ({ ...BATCH, attempt: 2, signal });
const json = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });

test('A message is signed as Standard Webhooks does it, with a signature for each secret.', () => {
  // The vector of its reference libraries.
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', atMs: 1614265330_999, body: '{"test": 2432232314}' };
  const headers = signedHeaders(message, [SECRET, OTHER_SECRET]);
  expect(headers).toMatchObject({ 'webhook-id': message.id, 'webhook-timestamp': '1614265330' });
  const [first, second] = headers['webhook-signature'].split(' ');
  expect(first).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  expect(second).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
});

test('A batch is one signed POST, whose id stays the same over attempts.', async () => {
  answer = json({ outcomes: ['saved', { outcome: 'rejected', reason: 'unknown customer' }] });
  const endpoint = open();
  const outcomes = await endpoint.saveBatch(RECORDS, call());
  await endpoint.saveBatch(RECORDS, call());
  expect(outcomes).toEqual(['saved', { outcome: 'rejected', reason: 'unknown customer' }]);
  expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([BATCH.batchId, BATCH.batchId]);
  const [{ headers, body }] = received as [Received];
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
  const content = `${BATCH.batchId}.${headers['webhook-timestamp'] as string}.${body}`;
  expect(headers['webhook-signature']).toBe(
    `v1,${createHmac('sha256', key).update(content).digest('base64')}`,
  );
  expect(JSON.parse(body)).toEqual({
    type: 'batch.save',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: {
      batchId: BATCH.batchId,
      openedAt: '2026-01-31T23:59:58.000Z',
      attempt: 2,
      records: RECORDS,
    },
  });
});

test('An undo is a message of another type and id.', async () => {
  answer = { status: 204 };
  await open().undo(RECORDS, call());
  expect(received).toMatchObject([
    { headers: { 'webhook-id': `${BATCH.batchId}.undo` }, body: expect.stringContaining('"batch.undo"') },
  ]);
});

test('204 says that all records are saved, and 422 that none ever will be.', async () => {
  const endpoint = open();
  answer = { status: 204 };
  expect(await endpoint.saveBatch(RECORDS, call())).toEqual(['saved', 'saved']);
  answer = { status: 422, body: 'no\nsuch column' };
  const refused = { outcome: 'rejected', reason: 'the endpoint answered 422: no such column' };
  expect(await endpoint.saveBatch(RECORDS, call())).toEqual([refused, refused]);
});

test.each([
  [503, { 'retry-after': '120' }, { code: 'store-away', retryAfterMs: 120_000 }],
  [429, {}, { code: 'store-away', retryAfterMs: undefined }],
  [401, {}, { code: 'store-away' }],
  [500, { 'retry-after': '3' }, { code: 'save-failed', retryAfterMs: 3000 }],
  [500, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }, { code: 'save-failed', retryAfterMs: 0 }],
  [200, {}, { code: 'save-failed', message: expect.stringContaining('expected {"outcomes":[…]}') }],
])('the answer %d with %j is an error %j', async (status, headers, expected) => {
  answer = { status, headers };
  await expect(open().saveBatch(RECORDS, call())).rejects.toMatchObject(expected);
});

test('A redirect is not followed.', async () => {
  answer = { status: 307, headers: { location: url } };
  await expect(open().saveBatch(RECORDS, call())).rejects.toMatchObject({
    code: 'store-away',
    message: expect.stringContaining('redirects are not followed'),
  });
  expect(received).toHaveLength(1);
});

test('An answer that is too long is not read to its end.', async () => {
  answer = { status: 200, body: 'x'.repeat(1_000_000) };
  await expect(open().saveBatch(RECORDS, call())).rejects.toMatchObject({
    code: 'save-failed',
    message: "the endpoint's answer is longer than 20480 bytes",
  });
});

test('A request ends when nobody waits for it any more.', async () => {
  answer = { status: 0 };
  const abort = new AbortController();
  const saving = open().saveBatch(RECORDS, call(abort.signal));
  abort.abort();
  await expect(saving).rejects.toThrow('aborted');
});

test.each(['address', 'localhost'])(
  'a private address is refused unless it is allowed, by %s',
  async (by) => {
    answer = { status: 204 };
    const target = by === 'address' ? url : url.replace('127.0.0.1', 'localhost');
    const refusing = open({ url: target, allowsPrivate: false });
    await expect(refusing.saveBatch(RECORDS, call())).rejects.toMatchObject({
      code: 'store-away',
      message: expect.stringMatching(/STORE_URL leads to (127\.0\.0\.1|::1), which is not a public address/),
    });
    expect(received).toEqual([]);
    await open().saveBatch(RECORDS, call());
    expect(received).toHaveLength(1);
  },
);

test.each([
  [true, ['8.8.8.8', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '192.167.0.1']],
  [
    false,
    [
      ...[
        '0.0.0.0',
        '10.1.2.3',
        '127.1.1.1',
        '169.254.169.254',
        '172.31.0.1',
        '192.168.0.1',
        '100.64.0.1',
        '224.0.0.1',
      ],
      ...[
        '255.255.255.255',
        '::1',
        '::',
        'fe80::1',
        'fd00::1',
        '::ffff:10.0.0.1',
        '::ffff:169.254.169.254',
        '64:ff9b::a00:1',
      ],
    ],
  ],
])('it is %p that these addresses are public: %j', (isPublic, addresses) => {
  expect(addresses.filter((address) => isPublicAddress(address) !== isPublic)).toEqual([]);
});
