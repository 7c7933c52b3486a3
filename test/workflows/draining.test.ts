import request from 'supertest';
import { FLUSH_REASON } from '../../src/domain/records/batch';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { appOf } from '../helpers/pipeline-app';
import { savedValues } from '../helpers/memory-store';
import { waitFor } from '../helpers/wait-for';

/** `POST /v1/drain`, over HTTP on the real server. */
let pipeline: TestPipeline;
let app: ReturnType<typeof appOf>;
afterEach(() => pipeline.close());

async function start(options: Parameters<typeof startPipeline>[0] = {}) {
  pipeline = await startPipeline({
    ...options,
    settings: { flushIntervalMs: 3_600_000, ...options.settings },
  });
  app = appOf(pipeline.batcher);
}

const drain = (body: object = {}) => request(app).post('/v1/drain').send(body);

/** Holds up the saves of some records until it is let go. */
function holdUp(value: string): () => void {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = (record) => (record.value === value ? held : undefined);
  return release;
}

test('A drain answers when everything that was accepted before it has its outcome, in every shard.', async () => {
  await start({ shards: 2 });
  await pipeline.send(...Array.from({ length: 12 }, (_, i) => [1, 2, `record ${i}`]));
  const response = await drain({ by: 'Zoë' }).expect(200);
  expect(pipeline.store.outcomes()).toHaveLength(36);
  expect(response.body).toMatchObject({ drained: true, by: 'Zoë' });
  expect(response.body.shards).toEqual(
    [0, 1].map((shard) => ({
      shard,
      batcher: `${pipeline.address.batcherId}-${shard}`,
      bufferedRecords: 0,
      inFlight: 0,
      paused: null,
      storeAway: null,
    })),
  );
  const { shards } = await pipeline.batcher.status();
  expect(shards.map(({ drain }) => drain)).toEqual(
    shards.map(() => ({ by: 'Zoë', atMs: expect.any(Number), bufferedRecords: 0, inFlight: 0 })),
  );
  const { batches } = await pipeline.batcher.batches({ limit: 50 });
  expect(batches.map(({ flushReason }) => flushReason)).toContain(FLUSH_REASON.drain);
});

test('A drain under load covers what came before it and ends although records keep coming.', async () => {
  await start({ settings: { maxInFlight: 2 } });
  const before = Array.from({ length: 40 }, (_, i) => `before ${i}`);
  await pipeline.send(before);
  const enough = new AbortController();
  const load = (async () => {
    for (let i = 0; !enough.signal.aborted; i++) await pipeline.send([`after ${i}`]);
  })();
  try {
    const response = await drain().expect(200);
    const saved = savedValues(pipeline.store);
    expect(response.body).toMatchObject({ drained: true });
    expect(before.filter((value) => !saved.includes(value))).toEqual([]);
  } finally {
    enough.abort();
    await load;
  }
  expect((await pipeline.status()).counters.accepted).toBeGreaterThan(40);
});

test('A paused shard ends it at once, with who paused it; what is asked for is done when it is resumed.', async () => {
  await start();
  await pipeline.batcher.pause('the night shift');
  await pipeline.send(['kept']);
  const response = await drain({ timeoutMs: 600_000 }).expect(200);
  expect(response.body).toMatchObject({
    drained: false,
    shards: [{ bufferedRecords: 1, inFlight: 0, paused: { by: 'the night shift' } }],
  });
  await pipeline.batcher.resume('test');
  await waitFor('the record to be saved', () => savedValues(pipeline.store).includes('kept'));
});

test('A paused shard that holds nothing holds nothing up.', async () => {
  await start();
  await pipeline.batcher.pause('test');
  expect((await drain().expect(200)).body).toMatchObject({ drained: true });
});

test('When the time is over, it tells what is left; the same call again waits for the rest.', async () => {
  await start();
  const release = holdUp('slow');
  await pipeline.send(['slow', 'quick']);
  const response = await drain({ timeoutMs: 500 }).expect(200);
  expect(response.body).toMatchObject({ drained: false, shards: [{ bufferedRecords: 0, inFlight: 1 }] });
  release();
  expect((await drain().expect(200)).body).toMatchObject({ drained: true });
  expect(savedValues(pipeline.store)).toEqual(['quick', 'slow']);
});

test('The waiting ends when nobody waits for it any more.', async () => {
  await start();
  const release = holdUp('slow');
  await pipeline.send(['slow']);
  let looks = 0;
  const report = await pipeline.batcher.drain('test', {
    timeoutMs: 600_000,
    stillWanted: () => looks < 2,
    onProgress: () => looks++,
  });
  expect(report).toMatchObject({ drained: false, shards: [{ inFlight: 1 }] });
  release();
});

test('A worker that is away for a while only delays a drain.', async () => {
  await start({ worker: 'own' });
  await pipeline.send(['kept']);
  await pipeline.stopWorker();
  const draining = pipeline.batcher.drain('test', { timeoutMs: 50_000 });
  await pipeline.startWorker();
  expect(await draining).toMatchObject({ drained: true });
  expect(savedValues(pipeline.store)).toEqual(['kept']);
});
