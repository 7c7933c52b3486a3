import request from 'supertest';
import { conflicts } from '../../src/domain/rules';
import { RUN_LIMITS } from '../../src/contracts/workflow/batcher';
import { HOUR } from '../../src/domain/duration';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { TEST_SETTINGS } from '../helpers/test-settings';
import { anotherApp, appOf, failFor, lettersListed, listLetters, redriveBy } from '../helpers/pipeline-app';
import { savedValues } from '../helpers/memory-store';
import { waitFor } from '../helpers/wait-for';

/** Dead letters and their redrive, over HTTP on the real server. */
let pipeline: TestPipeline;
let app: ReturnType<typeof appOf>;
afterEach(() => pipeline.close());

async function start(options: Parameters<typeof startPipeline>[0] = {}) {
  pipeline = await startPipeline({ ...options, settings: { maxAttempts: 2, ...options.settings } });
  app = appOf(pipeline.batcher);
}

/** How often each record that was sent again came to an outcome. */
function outcomesOf(prefix: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { recordId } of pipeline.store.outcomes()) {
    if (recordId.startsWith(prefix)) counts.set(recordId, (counts.get(recordId) ?? 0) + 1);
  }
  return counts;
}

test('rolled-back records are listed with value, attempts, error, batch and request, and saved ones are not.', async () => {
  await start();
  failFor(pipeline, 'bad');
  const [requestId] = await pipeline.send(['fine', 'bad']);
  await pipeline.quiet();
  const [letter] = await lettersListed(app, 1);
  const [file] = pipeline.store.files.keys();
  expect(letter).toEqual({
    recordId: `${requestId}:1`,
    requestId,
    value: 'bad',
    attempts: 2,
    error: 'no place for "bad"',
    rollbackError: null,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    batchId: `${pipeline.batcherWorkflowId}-00000001`,
    batcher: pipeline.batcherWorkflowId,
    file,
    redriveOf: null,
    redrivenAs: null,
  });
  expect(await listLetters(app, { requestId: requestId! })).toHaveLength(1);
  expect(await listLetters(app, { requestId: 'another' })).toEqual([]);
  expect(await listLetters(app, { requestId: `it's "not" there` })).toEqual([]);
  expect(await listLetters(app, { batchId: letter!.batchId })).toHaveLength(1);
  expect(await listLetters(app, { batchId: pipeline.batcherWorkflowId })).toEqual([]);
});

test('Exactly the records that are named are sent again, and can be followed from either end.', async () => {
  await start();
  const failing = failFor(pipeline, 'a', 'b', 'c');
  const [requestId] = await pipeline.send(['a', 'b', 'c', 'fine']);
  await pipeline.quiet();
  await lettersListed(app, 3);
  failing.clear();

  const names = [`${requestId}:0`, `${requestId}:2`];
  const result = await redriveBy(app, { records: [...names, names[0]] });
  expect(result).toMatchObject({
    redriven: names.map((recordId) => ({ recordId, requestId: `redrive-1.${recordId}` })),
    alreadyRedriven: [],
    notFound: [],
    by: 'anonymous',
  });
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(['a', 'c', 'fine']);

  const response = await request(app).get(`/v1/requests/redrive-1.${requestId}:0`).expect(200);
  expect(response.body).toMatchObject({
    requestId: `redrive-1.${requestId}:0`,
    redriveOf: `${requestId}:0`,
    counts: { saved: 1 },
    records: [{ recordId: `redrive-1.${requestId}:0:0` }],
  });
  expect((await listLetters(app)).map(({ recordId }) => recordId)).toEqual([`${requestId}:1`]);
  const sentAgain = await listLetters(app, { redriven: 'true' });
  expect(sentAgain.map(({ redrivenAs }) => redrivenAs).sort()).toEqual(names.map((id) => `redrive-1.${id}`));
  expect(await listLetters(app, { redriven: 'any' })).toHaveLength(3);
});

test('So are records of batches that share a workflow, each with its own batch and file.', async () => {
  await start({
    settings: { saveActivity: 'batch', maxBatchSize: 2, flushIntervalMs: HOUR },
  });
  const failing = failFor(pipeline, 'a', 'e');
  const [requestId] = await pipeline.send(['a', 'b', 'c', 'd', 'e', 'f']);
  await waitFor('all to have ended', async () => (await pipeline.status()).counters.batchesCompleted === 3);
  const letters = await lettersListed(app, 2);
  const byValue = Object.fromEntries(letters.map((letter) => [JSON.stringify(letter.value), letter]));
  const group = `${pipeline.batcherWorkflowId}-00000001`;
  for (const [value, batchId] of [
    ['a', `${group}.001`],
    ['e', `${group}.003`],
  ] as const) {
    const letter = byValue[JSON.stringify(value)];
    expect(letter).toMatchObject({ batchId, attempts: 2, file: expect.stringContaining(batchId) });
    expect(await listLetters(app, { batchId })).toEqual([letter]);
  }
  failing.clear();
  await redriveBy(app, { records: [`${requestId}:4`] });
  await pipeline.batcher.flush('test');
  await waitFor('it to be saved', async () => (await pipeline.status()).counters.saved === 5);
  expect(savedValues(pipeline.store)).toEqual(['b', 'c', 'd', 'e', 'f']);
  expect((await listLetters(app)).map(({ value }) => value)).toEqual(['a']);
});

test('Who had records sent again stands in history.', async () => {
  await start();
  failFor(pipeline, 'bad');
  await pipeline.send(['bad']);
  await pipeline.quiet();
  await lettersListed(app, 1);
  await redriveBy(app, { all: true, by: 'Zoë, on call' });
  const { events } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).fetchHistory();
  const updates = (events ?? []).flatMap(
    (event) =>
      event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.args?.payloads ?? [],
  );
  expect(updates.map(({ data }) => Buffer.from(data ?? []).toString()).join()).toContain('Zoë, on call');
});

test('Conflicts are checked anew: 1 and 2, both dead and sent again together, never meet (G2).', async () => {
  await start();
  const failing = failFor(pipeline, 1, 2);
  await pipeline.send([1, 3, 1, 1], [2, 4, 2], [1, 2]);
  await pipeline.quiet();
  await lettersListed(app, 7);
  failing.clear();
  const { redriven } = await redriveBy(app, { all: true });
  expect(redriven).toHaveLength(7);
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual([1, 1, 1, 1, 2, 2, 2, 3, 4]);
  for (const file of pipeline.store.files.values()) {
    for (const [i, record] of file.entries()) {
      for (const other of file.slice(i + 1)) {
        expect(conflicts(record.value, other.value, TEST_SETTINGS.conflicts)).toBe(false);
      }
    }
  }
  expect(await listLetters(app)).toEqual([]);
});

test('Those of one batch, or of one request, are sent again and no others.', async () => {
  await start();
  const failing = failFor(pipeline, 'a', 'b', 'c');
  const [first] = await pipeline.send(['a']);
  await pipeline.quiet();
  const [second] = await pipeline.send(['b', 'c']);
  await pipeline.quiet();
  await lettersListed(app, 3);
  failing.clear();
  const ofBatch = await redriveBy(app, { batchId: `${pipeline.batcherWorkflowId}-00000001` });
  expect(ofBatch.redriven.map(({ recordId }) => recordId)).toEqual([`${first}:0`]);
  const ofRequest = await redriveBy(app, { requestId: second });
  expect(ofRequest.redriven.map(({ recordId }) => recordId)).toEqual([`${second}:0`, `${second}:1`]);
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(['a', 'b', 'c']);
});

test('What is redriven and fails again is a dead letter of its own, and can be redriven again.', async () => {
  await start();
  const failing = failFor(pipeline, 'bad');
  const [requestId] = await pipeline.send(['bad']);
  await pipeline.quiet();
  await lettersListed(app, 1);
  await redriveBy(app, { all: true });
  await pipeline.quiet();
  const [again] = await lettersListed(app, 1);
  expect(again).toMatchObject({
    recordId: `redrive-1.${requestId}:0:0`,
    redriveOf: `${requestId}:0`,
    redrivenAs: null,
  });

  failing.clear();
  const result = await redriveBy(app, { records: [`${requestId}:0`, again!.recordId] });
  expect(result).toMatchObject({
    redriven: [{ recordId: again!.recordId, requestId: `redrive-2.${requestId}:0` }],
    alreadyRedriven: [{ recordId: `${requestId}:0`, requestId: `redrive-1.${requestId}:0` }],
  });
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(['bad']);
  expect(await listLetters(app)).toEqual([]);
});

describe('twice is once', () => {
  test('A dead letter is redriven once while its redrive waits in a paused buffer, even if its key was forgotten (G4).', async () => {
    await start({ settings: { idempotencyWindowKeys: 1 } });
    const failing = failFor(pipeline, 'a', 'b');
    const [requestId] = await pipeline.send(['a', 'b']);
    await pipeline.quiet();
    await lettersListed(app, 2);
    failing.clear();
    await pipeline.batcher.pause('test');
    await redriveBy(app, { records: [`${requestId}:0`] });
    expect((await listLetters(app, { redriven: 'true' })).map(({ redrivenAs }) => redrivenAs)).toEqual([
      `redrive-1.${requestId}:0`,
    ]);
    // The window holds one key, which is b's now.
    await redriveBy(app, { records: [`${requestId}:1`] });
    const repeated = await redriveBy(app, { all: true });
    expect(repeated.redriven).toEqual([]);
    expect(repeated.alreadyRedriven).toHaveLength(2);
    await pipeline.batcher.resume('test');
    await pipeline.quiet();
    expect([...outcomesOf('redrive-').values()]).toEqual([1, 1]);
  });

  test('A dead letter is redriven once after the batch of its redrive completed, whether or not its key is remembered (G4).', async () => {
    await start({ settings: { idempotencyWindowKeys: 0 } });
    const failing = failFor(pipeline, 'bad');
    const [requestId] = await pipeline.send(['bad']);
    await pipeline.quiet();
    await lettersListed(app, 1);
    failing.clear();
    await redriveBy(app, { all: true });
    await pipeline.quiet();
    await lettersListed(app, 0);
    const repeated = await redriveBy(app, { records: [`${requestId}:0`] });
    expect(repeated).toMatchObject({ redriven: [], alreadyRedriven: [{ recordId: `${requestId}:0` }] });
    await pipeline.quiet();
    expect([...outcomesOf('redrive-').values()]).toEqual([1]);
  });

  test('A dead letter is redriven once by several operators at the same moment, through different API processes (G4).', async () => {
    await start();
    const values = Array.from({ length: 12 }, (_, i) => `bad ${i}`);
    const failing = failFor(pipeline, ...values);
    await pipeline.send(values);
    await pipeline.quiet();
    await lettersListed(app, 12);
    failing.clear();
    const apps = [app, anotherApp(pipeline), anotherApp(pipeline)];
    await Promise.all(apps.map((each) => redriveBy(each, { all: true })));
    await pipeline.quiet();
    expect([...outcomesOf('redrive-1.').values()]).toEqual(values.map(() => 1));
    expect(pipeline.store.saves.filter(({ recordId }) => recordId.startsWith('redrive-'))).toHaveLength(12);
  });

  test('A dead letter is redriven once if the repeat arrives before visibility shows the first, across continue-as-new (G4).', async () => {
    await start({ limits: { ...RUN_LIMITS, messages: 5 } });
    const failing = failFor(pipeline, 'bad');
    const [requestId] = await pipeline.send(['bad']);
    await pipeline.quiet();
    await lettersListed(app, 1);
    failing.clear();
    await pipeline.batcher.pause('test');
    await redriveBy(app, { all: true });
    for (let i = 0; i < 6; i++) await pipeline.send([`filler ${i}`]);
    await waitFor('a later run', async () => (await pipeline.status()).run.continuedAsNew > 0);
    const repeated = await redriveBy(anotherApp(pipeline), { records: [`${requestId}:0`] });
    expect(repeated.redriven).toEqual([]);
    await pipeline.batcher.resume('test');
    await pipeline.quiet();
    expect([...outcomesOf('redrive-1.')]).toEqual([[`redrive-1.${requestId}:0:0`, 1]]);
  });
});

test('What is no dead letter is told as such and keeps nobody else from being sent again.', async () => {
  await start();
  failFor(pipeline, 'bad');
  const [requestId] = await pipeline.send(['bad', 'fine']);
  await pipeline.quiet();
  await lettersListed(app, 1);
  const unknown = [`${requestId}:1`, `${requestId}:2`, 'no-such-request:0', `it's "not" one`];
  const result = await redriveBy(app, { records: [...unknown, `${requestId}:0`] });
  expect(result.notFound).toEqual(unknown);
  expect(result.redriven).toHaveLength(1);

  for (const body of [{ records: unknown }, { batchId: 'no-such-batch' }, { requestId: 'no-such-request' }]) {
    const response = await request(app).post('/v1/dead-letters/redrive').send(body);
    expect([response.status, response.body.code]).toEqual([404, 'dead-letter-not-found']);
  }
});

test('Dead letters come in pages of whole batches, the one that closed last first, each once.', async () => {
  await start({ settings: { maxBatchSize: 2 } });
  failFor(pipeline, 'bad');
  for (let i = 0; i < 3; i++) {
    await pipeline.send(['bad', 'bad']);
    await pipeline.quiet();
  }
  await pipeline.send(['fine']);
  await pipeline.quiet();
  const all = await lettersListed(app, 6, { limit: '1' });
  const ids = [3, 3, 2, 2, 1, 1].map((seq) => `${pipeline.batcherWorkflowId}-0000000${seq}`);
  expect(all.map(({ batchId }) => batchId)).toEqual(ids);
  expect(new Set(all.map(({ recordId }) => recordId)).size).toBe(6);

  const page = await request(app).get('/v1/dead-letters?limit=2').expect(200);
  expect(page.body.deadLetters).toHaveLength(4);
  const bad = await request(app).get('/v1/dead-letters?cursor=bm9uc2Vuc2U');
  expect([bad.status, bad.body.code]).toEqual([404, 'not-found']);
});

test('More than fit into the buffer are sent as far as there is room, and the same call again goes on (G6).', async () => {
  await start();
  const values = Array.from({ length: 12 }, (_, i) => `bad ${i}`);
  const failing = failFor(pipeline, ...values);
  await pipeline.send(values);
  await pipeline.quiet();
  await lettersListed(app, 12);
  failing.clear();
  await pipeline.batcher.pause('test');
  const small = anotherApp(pipeline, { maxBufferedRecords: 8, maxBufferedBytes: 1_000 });
  const full = await request(small).post('/v1/dead-letters/redrive').send({ all: true });
  expect([full.status, full.body.code]).toEqual([429, 'buffer-full']);
  expect(Number(full.headers['retry-after'])).toBeGreaterThan(0);
  const sent = Number(/^(\d+) records were redriven/.exec(full.body.detail)?.[1]);
  expect(sent).toBeGreaterThan(4);
  expect((await pipeline.status()).bufferedRecords).toBe(sent);

  await pipeline.batcher.resume('test');
  await pipeline.quiet();
  const rest = await redriveBy(small, { all: true });
  expect([rest.redriven.length, rest.alreadyRedriven.length]).toEqual([12 - sent, sent]);
  await pipeline.quiet();
  expect([...outcomesOf('redrive-1.').values()]).toEqual(values.map(() => 1));
});

test('Hundreds are sent again in few messages, over every shard, exactly those.', async () => {
  await start({ shards: 2, settings: { maxBatchSize: 50, maxAttempts: 1 } });
  const values = Array.from({ length: 240 }, (_, i) => `bad ${String(i).padStart(3, '0')}`);
  const failing = failFor(pipeline, ...values);
  await pipeline.send(values.slice(0, 120), values.slice(120));
  await lettersListed(app, 240);
  failing.clear();
  const before = (await pipeline.batcher.status()).total.counters.accepted;
  const { redriven } = await redriveBy(app, { all: true });
  expect(redriven).toHaveLength(240);
  await waitFor('all to be saved', () => savedValues(pipeline.store).length === 240);
  expect(savedValues(pipeline.store)).toEqual(values);
  const { shards, total } = await pipeline.batcher.status();
  expect(total.counters.accepted).toBe(before + 240);
  expect(shards.every(({ counters }) => counters.accepted > 0)).toBe(true);
  await lettersListed(app, 0);
});
