import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { MINUTE } from '../../src/domain/duration';
import type { RecordStore } from '../../src/domain/records/record-store';
import { interceptS3 } from '../helpers/intercept-s3';
import { startS3, type S3Server } from '../helpers/s3-server';
import { BATCH, record, saved } from '../helpers/store-folders';
import { s3Harness, type S3Harness } from '../helpers/store-harness';
import { listening } from '../helpers/store-subjects';

/* What is the fault of S3, what is the fault of a request, and what is the operator's to mend. */
let server: S3Server;
beforeAll(async () => void (server = await startS3()), 20 * MINUTE);
afterAll(() => server.remove());

/** Stands before the server, and answers in its place when it is told to. */
let proxy: Server;
let proxyUrl: string;
let answer: ((response: ServerResponse) => void) | undefined;
beforeAll(async () => {
  proxy = createServer((incoming, response) => {
    if (answer !== undefined) return void incoming.resume().on('end', () => answer?.(response));
    passOn(incoming, response);
  });
  proxyUrl = (await listening(proxy)).slice(0, -1);
});
afterAll(() => {
  proxy.close();
  proxy.closeAllConnections();
});

function passOn(incoming: IncomingMessage, response: ServerResponse): void {
  const { method, headers, url = '' } = incoming;
  const passed = request(server.endpoint + url, { method, headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 500, answered.headers);
    answered.pipe(response);
  });
  passed.on('error', () => response.destroy());
  incoming.pipe(passed);
}

let harness: S3Harness;
afterEach(async () => {
  answer = undefined;
  await harness.close();
});

const failureOf = (call: Promise<unknown>) => call.catch((error: unknown) => error);

async function behindProxy(timeoutMs = 30_000): Promise<RecordStore> {
  harness = await s3Harness(server, { endpoint: proxyUrl, timeoutMs });
  return harness.worker();
}

test('A server that is killed is away, and everything goes on when it is back.', async () => {
  harness = await s3Harness(server);
  const store = await harness.worker();
  await store.save(record(1), BATCH);
  await server.kill();
  const failures = [
    await failureOf(store.save(record(2), BATCH)),
    await failureOf(store.rollback(record(2), BATCH)),
    await failureOf(store.closeBatch(BATCH, [saved(record(1))], 'json')),
    await failureOf(store.readBatch({ ...BATCH, records: [record(1)] })),
  ];
  await server.start();
  const away = { code: 'store-away', message: expect.stringContaining('ECONNREFUSED') };
  expect(failures).toMatchObject([away, away, away, away]);
  await store.closeBatch(BATCH, [saved(record(1))], 'json');
});

test('A server that does not answer is away after STORE_TIMEOUT_MS.', async () => {
  const store = await behindProxy(2000);
  answer = () => undefined;
  expect(await failureOf(store.save(record(1), BATCH))).toMatchObject({
    code: 'store-away',
    message: expect.stringContaining('no answer within 2000 ms (STORE_TIMEOUT_MS)'),
  });
});

test.each([
  [503, 'SlowDown', 'store-away'],
  [503, 'ServiceUnavailable', 'store-away'],
  [500, 'InternalError', 'store-away'],
  [429, 'TooManyRequests', 'store-away'],
  [403, 'AccessDenied', 'store-away'],
  [403, 'SignatureDoesNotMatch', 'store-away'],
  [404, 'NoSuchBucket', 'store-away'],
  [400, 'ExpiredToken', 'store-away'],
  [400, 'KeyTooLongError', 'save-failed'],
  [400, 'InvalidArgument', 'save-failed'],
])('where S3 answers %d %s, a save fails with that: %s', async (status, name, code) => {
  const store = await behindProxy();
  answer = (response) =>
    response
      .writeHead(status, { 'content-type': 'application/xml' })
      .end(`<Error><Code>${name}</Code><Message>as asked for</Message></Error>`);
  const [results] = (await store.saveAll?.([{ batch: BATCH, records: [record(1), record(2)] }])) ?? [];
  const reason = { code, message: expect.stringContaining(`${name}: as asked for (HTTP ${status})`) };
  expect(results).toMatchObject([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
});

describe('a store that can not be used is refused at the start:', () => {
  test.each([
    ['a bucket that is not there', { bucket: 'another-bucket' }, 'NoSuchBucket'],
    ['a server that is not there', { endpoint: 'http://127.0.0.1:1' }, 'ECONNREFUSED'],
  ])('%s', async (_, options, told) => {
    harness = await s3Harness(server, options);
    expect(await failureOf(harness.worker())).toMatchObject({
      code: 'store-unusable',
      message: expect.stringMatching(`^S3 \\(a test\\): .*${told}`),
    });
  });

  test('wrong credentials', async () => {
    harness = await s3Harness(server);
    const { AWS_SECRET_ACCESS_KEY } = process.env;
    process.env['AWS_SECRET_ACCESS_KEY'] = 'another';
    const failure = await failureOf(harness.worker());
    process.env['AWS_SECRET_ACCESS_KEY'] = AWS_SECRET_ACCESS_KEY;
    expect(failure).toMatchObject({
      code: 'store-unusable',
      message: expect.stringContaining('SignatureDoesNotMatch'),
    });
  });

  test('a prefix that was used with another compression, as a batch would have two keys', async () => {
    harness = await s3Harness(server);
    await harness.worker();
    harness.opening.compression = 'gzip';
    expect(await failureOf(harness.worker())).toMatchObject({
      code: 'store-unusable',
      message: expect.stringContaining('set another S3_PREFIX'),
    });
  });

  test('a server that ignores If-None-Match, as a batch could be closed twice', async () => {
    harness = await s3Harness(server);
    const restore = interceptS3(({ input }) => delete input['IfNoneMatch']);
    const failure = await failureOf(harness.worker());
    restore();
    expect(failure).toMatchObject({
      code: 'store-unusable',
      message: expect.stringContaining('ignores If-None-Match'),
    });
  });
});
