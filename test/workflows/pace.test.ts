import type { ChildInput } from '../../src/contracts/workflow/child';
import type { JsonValue } from '../../src/domain/json';
import { childIdOf } from '../../src/domain/records/batch';
import { unpackBatch } from '../../src/domain/records/packed-batch';
import { inputOf, readStart } from '../../src/temporal/server/history';
import { mostBeyond } from '../helpers/paced-world';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** MAX_SAVES_PER_SECOND against a real server: times are those that stand in histories, whatever the machine is doing. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

const MANY = Array.from({ length: 24 }, (_, i) => ({ tenant: 'many', i }));

interface Start {
  atMs: number;
  values: JsonValue[];
}

/** When each batch started, and with what. */
async function starts(): Promise<Start[]> {
  const { batchesStarted } = (await pipeline.status()).counters;
  const ids = Array.from({ length: batchesStarted }, (_, i) => childIdOf(pipeline.batcherWorkflowId, i + 1));
  const inputs = ids.map(
    async (id) => (await inputOf(pipeline.client, await readStart(pipeline.client, id), id)) as ChildInput,
  );
  return (await Promise.all(inputs)).map(({ openedAtMs, batches }) => ({
    atMs: openedAtMs,
    values: batches.flatMap(({ records }) => unpackBatch(records).map(({ value }) => value)),
  }));
}

const tenantOf = (value: JsonValue) => (value as { tenant?: string }).tenant;

const saved = () => pipeline.store.outcomes().length;

test('No tenant starts faster than its rate while runs follow one another and the worker is stopped and started, and none holds back another.', async () => {
  pipeline = await startPipeline({
    worker: 'own',
    settings: {
      ...{ conflicts: [], flushIntervalMs: 20, maxBatchSize: 3 },
      maxSavesPerSecond: [{ perSecond: 40 }, { at: '/tenant', perSecond: 4 }],
    },
    limits: { messages: 3, historyEvents: 60 },
  });
  await pipeline.send(MANY);
  await waitFor('the first batches', () => saved() >= 3);
  await pipeline.send([{ tenant: 'other' }, 'of no tenant']);
  await waitFor('the other records', () =>
    pipeline.store.outcomes().some(({ value }) => value === 'of no tenant'),
  );
  expect((await pipeline.status()).pace?.heldRecords).toBeGreaterThan(0);

  await pipeline.stopWorker();
  await pipeline.startWorker();
  await pipeline.quiet();
  expect((await pipeline.status()).run.continuedAsNew).toBeGreaterThan(0);
  expect(saved()).toBe(MANY.length + 2);

  const started = await starts();
  const ofMany = started.flatMap(({ atMs, values }) =>
    values.filter((value) => tenantOf(value) === 'many').map(() => atMs),
  );
  expect(ofMany).toHaveLength(MANY.length);
  expect(mostBeyond(ofMany, 4)).toBeLessThanOrEqual(4 + 3);
  const place = (tenant: string | undefined) =>
    started.findLastIndex(({ values }) => values.some((value) => tenantOf(value) === tenant));
  expect(place('other')).toBeLessThan(place('many'));
  expect(place(undefined)).toBeLessThan(place('many'));
});

test('What waits for its rate says until when, and a rate that is changed while it waits holds from then on.', async () => {
  pipeline = await startPipeline({ settings: { conflicts: [], flushIntervalMs: 20, maxSavesPerSecond: 1 } });
  // A bucket that has been emptied once gains one record a second: five minutes of them stay.
  const [requestId = ''] = await pipeline.send(Array.from({ length: 300 }, (_, i) => i));
  // Until the child has started, what it holds waits for that start.
  const waiting = await waitFor('a record that waits for its rate', async () => {
    const view = await pipeline.batcher.request(requestId);
    return view?.records.find(({ waitsFor }) => waitsFor?.for === 'pace');
  });
  expect(waiting.state).toBe('buffered');
  expect(waiting.waitsFor?.text).toMatch(/^MAX_SAVES_PER_SECOND to let it start, at .*Z at the earliest$/);
  expect((await pipeline.batcher.status()).shards[0]?.pace).toMatchObject({ values: 0, heldRecords: 0 });

  const { shards } = await pipeline.batcher.changeLimits({ maxSavesPerSecond: [] }, 'Ann');
  expect(shards[0]).toMatchObject({
    limits: { maxSavesPerSecond: [] },
    overridden: { maxSavesPerSecond: { value: [], configured: 1, by: 'Ann' } },
  });
  await pipeline.quiet();
  expect((await pipeline.batcher.status()).shards[0]?.pace).toBeNull();
  expect(saved()).toBe(300);
});
