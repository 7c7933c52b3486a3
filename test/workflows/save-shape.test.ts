import type { Activities } from '../../src/contracts/workflow/activities';
import { batchIdIn } from '../../src/domain/records/batch';
import { HOUR } from '../../src/domain/duration';
import { activitiesOf, childOf, listChildren } from '../helpers/histories';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** SAVE_ACTIVITY=auto: a child per batch while there is room for them, bulk saving beyond that, and back. */
let pipeline: TestPipeline;
let release: () => void = () => undefined;
afterEach(() => {
  release();
  return pipeline.close();
});

async function start(options: Parameters<typeof startPipeline>[0] = {}): Promise<void> {
  pipeline = await startPipeline({
    ...options,
    settings: {
      saveActivity: 'auto',
      maxBatchSize: 2,
      maxInFlight: 100,
      flushIntervalMs: HOUR,
      ...options.settings,
    },
  });
}

/** One list that makes so many full batches. */
async function sendBatches(count: number): Promise<void> {
  await pipeline.send(Array.from({ length: 2 * count }, (_, i) => `value ${i}`));
}

function holdSaves(): void {
  const released = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = () => released;
}

async function savingNow() {
  const { shards } = await pipeline.batcher.status();
  return shards[0]?.saving;
}

/** How many batches each child that visibility lists has, by the child's number. */
async function batchesPerChild(children: number): Promise<number[]> {
  await waitFor(`${children} children`, async () => (await listChildren(pipeline)).length === children);
  const { batches } = await waitFor('all to be listed as completed', async () => {
    const page = await pipeline.batcher.batches({ limit: 500 });
    return page.batches.every(({ state }) => state === 'completed') && page;
  });
  return (await listChildren(pipeline)).map(
    (child) => batches.filter(({ batchId }) => batchId.startsWith(child)).length,
  );
}

test('A list of a few batches is saved by a child per batch and an activity per record.', async () => {
  await start();
  await sendBatches(3);
  await pipeline.quiet();
  expect(await batchesPerChild(3)).toEqual([1, 1, 1]);
  expect(await activitiesOf(pipeline, childOf(pipeline, 1))).toEqual(['save', 'save']);
  expect(await savingNow()).toMatchObject({ shape: 'record', due: null, storeIsSlow: false });
  expect(await pipeline.batcher.batch(childOf(pipeline, 3))).toMatchObject({
    saving: { text: 'one activity per record', shape: 'record', due: null },
  });
});

test('A large list is saved in bulk, of which status and batches give the reason, and a small one after it is not.', async () => {
  await start();
  holdSaves();
  await sendBatches(30);
  await waitFor('all to be in flight', async () => (await pipeline.status()).inFlight === 30);
  const inBulk = await savingNow();
  expect(inBulk).toMatchObject({ shape: 'batch', due: 30, storeIsSlow: false });
  release();
  await pipeline.quiet();
  expect(await activitiesOf(pipeline, childOf(pipeline, 1))).toEqual(['saveBatches', 'closeBatches']);
  for (const place of [1, 30]) {
    expect(await pipeline.batcher.batch(batchIdIn(childOf(pipeline, 1), place, 30))).toMatchObject({
      saved: 2,
      saving: { text: 'saved together, because 30 batches were due', shape: 'batch', due: 30 },
    });
  }

  await sendBatches(2);
  await pipeline.quiet();
  expect(await batchesPerChild(3)).toEqual([30, 1, 1]);
  const afterwards = await savingNow();
  expect(afterwards).toMatchObject({ shape: 'record', due: null });
  expect(Date.parse(afterwards?.since ?? '')).toBeGreaterThan(Date.parse(inBulk?.since ?? ''));
});

test('Children whose records only wait for their next attempt keep no others from starting (G7, G9).', async () => {
  await start({ settings: { saveActivity: 'batch', retryIntervalMs: HOUR } });
  pipeline.store.beforeSave = ({ value }) => {
    if (value === 'failing') throw new Error('not now');
  };
  for (let child = 1; child <= 7; child++) {
    await pipeline.send(['failing', 'fine']);
    await waitFor(`child ${child} to have tried`, () => pipeline.store.saves.length === 2 * child);
  }
  await sendBatches(1);
  await waitFor('a later batch to be saved', async () => (await pipeline.status()).counters.saved === 2);
  expect(await pipeline.status()).toMatchObject({ inFlight: 7, bufferedRecords: 0 });
});

describe('a slow store', () => {
  /** As if each save took so long, by value. */
  let tookMs: (value: unknown) => number;

  /** Reports made-up times of saves, so that no test has to wait for them. */
  function withTimes({ save, saveBatches }: Activities): Partial<Activities> {
    return {
      save: async (input) => ({ ...(await save(input)), tookMs: tookMs(input.record.value) }),
      async saveBatches(input) {
        const values = input.batches.flatMap(({ records }) => records.flatMap((run) => run[2]));
        return { ...(await saveBatches(input)), fastestMs: Math.min(...values.map(tookMs)) };
      },
    };
  }

  test('Where even the fastest save takes seconds, every batch has a child of its own, and once one is fast again, bulk saving is back.', async () => {
    await start({ activities: withTimes });
    tookMs = () => 2500;
    await sendBatches(11);
    await pipeline.quiet();
    expect(await savingNow()).toMatchObject({ storeIsSlow: true });
    await sendBatches(11);
    await pipeline.quiet();
    expect(await savingNow()).toMatchObject({ shape: 'record', due: null, storeIsSlow: true });
    expect(await batchesPerChild(12)).toEqual([11, ...Array.from({ length: 11 }, () => 1)]);

    tookMs = () => 900;
    await sendBatches(1);
    await pipeline.quiet();
    expect(await savingNow()).toMatchObject({ storeIsSlow: false });
    await sendBatches(11);
    await pipeline.quiet();
    expect((await batchesPerChild(14)).slice(-2)).toEqual([1, 11]);
  });

  test('A store counts as slow only if every save is slow.', async () => {
    await start({ activities: withTimes });
    tookMs = (value) => (value === 'slow' ? 60_000 : 5);
    await pipeline.send(['slow', 'fast']);
    await pipeline.quiet();
    expect(await savingNow()).toMatchObject({ storeIsSlow: false });
    await sendBatches(11);
    await pipeline.quiet();
    expect(await batchesPerChild(2)).toEqual([1, 11]);
  });
});
