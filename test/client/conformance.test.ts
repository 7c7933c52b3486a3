import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { startSystem, temporaryFolder, type System } from '../helpers/system';
import { waitFor } from '../helpers/wait-for';
import { pythonDriver, typescriptDriver, type CallArgs, type ClientAnswer, type Driver } from './drivers';
import { startLosingProxy, type LosingProxy } from './losing-proxy';
import { MODELS_FILE, pythonModels } from './python-models';

const API_KEY = 'the-key-of-these-tests';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let system: System;
let proxy: LosingProxy;
beforeAll(async () => {
  folder = await temporaryFolder();
  system = await startSystem('serve', {
    cwd: folder.path,
    env: {
      KEEPAPART_API_KEYS: `tests:${createHash('sha256').update(API_KEY).digest('hex')}`,
      KEEPAPART_FLUSH_INTERVAL_MS: '100',
      KEEPAPART_MAX_ATTEMPTS: '1',
      KEEPAPART_CONFLICTS: '[{"pair":[1,2]}]',
    },
  });
  proxy = await startLosingProxy(system.apiUrl);
});
afterAll(async () => {
  await proxy.close();
  await system.interrupt();
  await folder.remove();
});

test("The Python client's types are those of the API's description; npm run python:models writes them.", async () => {
  expect(readFileSync(MODELS_FILE, 'utf8')).toBe(await pythonModels());
});

describe.each([
  ['TypeScript', typescriptDriver],
  ['Python', pythonDriver],
])('The %s client, against a real server,', (language, start) => {
  let driver: Driver;
  beforeAll(() => (driver = start()));
  afterAll(() => driver.close());

  /** Makes a call with the API key, through the proxy. */
  const make = (call: string, args: CallArgs = {}, apiKey = API_KEY): Promise<ClientAnswer> =>
    driver.make({ url: proxy.url, apiKey, call, args });
  /** Makes a call that has to succeed. */
  async function value(call: string, args: CallArgs = {}) {
    const { answer } = await make(call, args);
    if ('error' in answer) throw new Error(`${call}: ${JSON.stringify(answer)}`);
    return answer.value;
  }
  const key = (name: string) => `${language}-${name}`;
  /** The request that was sent under that key: the API puts the name of the API key before it. */
  const requestOf = (name: string) => `tests~${key(name)}`;

  test('sends a list and waits for its outcomes, and records that are kept apart get different batches.', async () => {
    const accepted = await value('send', { values: [1, 2, { a: 'ä€😀' }], key: key('list') });
    expect(accepted).toMatchObject({ requestId: requestOf('list'), accepted: 3 });
    const view = await value('waitForOutcomes', { requestId: requestOf('list'), timeoutMs: 60_000 });
    expect(view['counts']).toMatchObject({ saved: 3, rolled_back: 0 });
    const batches = await value('batches', { requestId: requestOf('list') });
    expect(batches.length).toBeGreaterThanOrEqual(2);
    const { batchId } = batches[0] as { batchId: string };
    expect(await value('batch', { batchId })).toMatchObject({ batchId, state: 'completed' });
  });

  test('has a worker audit the files, which finds no damage.', async () => {
    const { auditId } = await value('startAudit');
    const audit = await waitFor('the end of the audit', async () => {
      const { audits } = (await value('audits')) as unknown as {
        audits: { auditId: unknown; state: string; result: unknown }[];
      };
      return audits.find((one) => one.auditId === auditId && one.state !== 'running');
    });
    expect(audit).toMatchObject({ state: 'completed', result: { clean: true, damage: [] } });
  });

  test('sends a list again under the same key when its answer is lost, and it is accepted once.', async () => {
    proxy.lose = 2;
    const { retries, answer } = await make('send', { values: [7, 8], key: key('lost') });
    expect(answer).toMatchObject({ value: { requestId: requestOf('lost'), accepted: 2 } });
    expect(retries).toEqual(['api-unreachable', 'api-unreachable']);
    expect(await value('request', { requestId: requestOf('lost') })).toMatchObject({
      records: [{ recordId: `${requestOf('lost')}:0` }, { recordId: `${requestOf('lost')}:1` }],
    });
  });

  test('gives up after its attempts, and makes calls that read only once.', async () => {
    proxy.lose = 4;
    const given = await make('send', { values: [1], key: key('given-up') });
    expect(given.answer).toMatchObject({ error: 'KeepapartUnreachableError', code: 'api-unreachable' });
    expect(given.retries).toHaveLength(3);
    proxy.lose = 1;
    expect(await make('status')).toMatchObject({ retries: [], answer: { code: 'api-unreachable' } });
  });

  test('reports a refusal with its code, and does not try again.', async () => {
    const reused = await make('send', { values: [9], key: key('list') });
    expect(reused).toMatchObject({
      retries: [],
      answer: { error: 'KeepapartApiError', status: 409, code: 'idempotency-key-reused' },
    });
    const unknown = await make('send', { values: [1] }, 'not-a-key');
    expect(unknown.answer).toMatchObject({ status: 401, code: 'unauthorized' });
    expect((await make('request', { requestId: 'nobody-sent-it' })).answer).toMatchObject({
      status: 404,
      code: 'request-not-found',
    });
  });

  test('refuses a key that the API would refuse before sending anything.', async () => {
    expect(await make('send', { values: [1], key: 'no spaces' })).toEqual({
      retries: [],
      answer: { error: 'ValueError' },
    });
  });

  test('streams records as one request, and the same stream again adds nothing.', async () => {
    const stream = { count: 3000, key: key('stream') };
    expect(await value('stream', stream)).toMatchObject({ requestId: requestOf('stream'), accepted: 3000 });
    expect(await value('stream', stream)).toMatchObject({ accepted: 3000 });
    const view = await value('waitForOutcomes', { requestId: requestOf('stream'), timeoutMs: 120_000 });
    expect(view['counts']).toMatchObject({ saved: 3000 });
  });

  test('resumes a stream under its key after its answer was lost.', async () => {
    proxy.lose = 1;
    const { retries, answer } = await make('stream', { count: 500, key: key('resumed') });
    expect(retries).toEqual(['api-unreachable']);
    expect(answer).toMatchObject({ value: { requestId: requestOf('resumed'), accepted: 500 } });
  });

  test('says how much of a stream is durable when its source fails, and the same key continues.', async () => {
    const broken = await make('stream', { count: 400, failsAfter: 300, key: key('source') });
    expect(broken.answer).toEqual({
      error: 'KeepapartSourceError',
      requestId: key('source'),
      accepted: expect.any(Number) as number,
    });
    expect(await value('stream', { count: 400, key: key('source') })).toMatchObject({ accepted: 400 });
  });

  test('reports the line of a stream that is no JSON, and what is durable before it.', async () => {
    const { answer } = await make('streamNdjson', { text: '1\n2\nnot JSON\n4\n', key: key('line') });
    expect(answer).toMatchObject({
      error: 'KeepapartApiError',
      status: 400,
      code: 'invalid-json',
      accepted: 2,
    });
  });

  test('pauses and resumes, and waits no longer than it is told.', async () => {
    await value('pause');
    const { requestId } = await value('send', { values: [5] });
    const late = await make('waitForOutcomes', { requestId: String(requestId), timeoutMs: 200 });
    expect(late.answer).toEqual({ error: 'KeepapartTimeoutError' });
    await value('resume');
    await value('flush');
    const view = await value('waitForOutcomes', { requestId: String(requestId), timeoutMs: 60_000 });
    expect(view['counts']).toMatchObject({ saved: 1 });
    expect(await value('status')).toMatchObject({ total: { paused: false } });
    expect(await value('deadLetters', { requestId: String(requestId) })).toEqual([]);
  });
});
