import { childIdOf } from '../../src/domain/records/batch';
import type { ConflictRule } from '../../src/domain/rules';
import { HOUR } from '../../src/domain/duration';
import { OUTCOME } from '../../src/domain/records/outcome';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What can be read back: requests, batches, status, and the filters of docs/WEB-UI.md. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** Workflow ids that a visibility filter finds, once it finds `count`; visibility lags a little. */
async function found(query: string, count: number): Promise<string[]> {
  return waitFor(`${count} workflows for ${query}`, async () => {
    const ids: string[] = [];
    const scoped = `(${query}) AND KeepapartBatcher = '${pipeline.batcherWorkflowId}'`;
    for await (const { workflowId } of pipeline.client.workflow.list({ query: scoped })) ids.push(workflowId);
    return ids.length === count && ids.sort();
  });
}

test("The operator's filters find batches by request, rollbacks, retries, reason, and paused shards.", async () => {
  pipeline = await startPipeline({ settings: { maxAttempts: 2 } });
  pipeline.store.beforeSave = (record, attempt) => {
    if (record.value === 'never' || (record.value === 'second' && attempt === 1)) throw new Error('no');
  };
  const [ofFailing = ''] = await pipeline.send(['never']);
  await pipeline.quiet();
  const [ofRetried = ''] = await pipeline.send(['second']);
  await pipeline.quiet();
  const [ofFull = ''] = await pipeline.send([3, 4, 5, 6, 7]);
  await pipeline.quiet();
  const [first, second, third] = [1, 2, 3].map((seq) => `${pipeline.batcherWorkflowId}-0000000${seq}`);

  expect(await found(`KeepapartRequestIds = '${ofRetried}'`, 1)).toEqual([second]);
  expect(await found(`WorkflowType = 'batchesWorkflow' AND KeepapartRolledBack > 0`, 1)).toEqual([first]);
  expect(await found(`KeepapartRetries > 0`, 2)).toEqual([first, second]);
  expect(await found(`KeepapartFlushReason = 'size'`, 1)).toEqual([third]);
  await pipeline.batcher.pause('test');
  expect(await found(`WorkflowType = 'batcherWorkflow' AND KeepapartBatcherState = 'paused'`, 1)).toEqual([
    pipeline.batcherWorkflowId,
  ]);

  const summary = await pipeline.client.workflow.getHandle(third!).describe();
  expect(await summary.staticSummary()).toBe(`5 records (size) from request ${ofFull}`);
  expect(await pipeline.batcher.request(ofFailing)).toMatchObject({ counts: { rolled_back: 1 } });
});

test('A request is followed from the buffer through its batch to its outcome, with attempts on the way.', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  pipeline = await startPipeline();
  pipeline.store.beforeSave = async (_record, attempt) => {
    if (attempt === 1) throw new Error('the first attempt fails');
    await held;
  };
  await pipeline.batcher.pause('test');
  const [requestId = ''] = await pipeline.send(['a', 'b']);
  expect((await pipeline.batcher.request(requestId))?.counts).toMatchObject({ buffered: 2 });

  await pipeline.batcher.resume('test');
  const inBatch = await waitFor('the second attempt', async () => {
    const view = await pipeline.batcher.request(requestId);
    return view?.records.every(({ attempts }) => attempts === 2) && view;
  });
  expect(inBatch.records[0]).toMatchObject({ state: 'in_batch', error: 'the first attempt fails' });

  release();
  await pipeline.quiet();
  const ended = await pipeline.batcher.request(requestId);
  expect(ended?.counts).toEqual({ buffered: 0, in_batch: 0, saved: 2, rolled_back: 0 });
  expect(ended?.records.map(({ attempts }) => attempts)).toEqual([2, 2]);
});

test('Batches are listed newest first, page by page, by state; one is shown with its records.', async () => {
  pipeline = await startPipeline({ settings: { maxBatchSize: 1 } });
  await pipeline.send(['a', 'b', 'c']);
  await pipeline.quiet();
  await found(`WorkflowType = 'batchesWorkflow' AND ExecutionStatus = 'Completed'`, 3);

  const firstPage = await pipeline.batcher.batches({ limit: 2 });
  const secondPage = await pipeline.batcher.batches({ limit: 2, cursor: firstPage.nextCursor ?? '' });
  const ids = [...firstPage.batches, ...secondPage.batches].map(({ batchId }) => batchId);
  expect(new Set(ids).size).toBe(3);
  expect(await pipeline.batcher.batches({ limit: 10, state: 'running' })).toMatchObject({ batches: [] });
  expect((await pipeline.batcher.batches({ limit: 10, state: 'completed' })).batches).toHaveLength(3);
  await expect(pipeline.batcher.batches({ limit: 2, cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({
    code: 'not-found',
  });

  const batch = await pipeline.batcher.batch(`${pipeline.batcherWorkflowId}-00000001`);
  expect(batch).toMatchObject({ state: 'completed', saved: 1, rolledBack: 0, flushReason: 'size' });
  expect(batch?.records).toEqual([
    expect.objectContaining({ value: 'a', outcome: OUTCOME.saved, attempts: 1, error: null }),
  ]);
  expect([...pipeline.store.files.keys()]).toContain(batch?.file);
});

test('A batch tells why it was cut where it was, as its buffer was when it went.', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: HOUR, maxBatchSize: 3 } });
  await pipeline.batcher.pause('test');
  await pipeline.send([1, 2, 'a', 'b', 2]);
  await pipeline.batcher.flush('test');
  await pipeline.batcher.resume('test');
  await pipeline.quiet();
  const [first, second] = await Promise.all(
    [1, 2].map((seq) => pipeline.batcher.batch(childIdOf(pipeline.batcherWorkflowId, seq))),
  );
  expect(first?.records.map(({ value }) => value)).toEqual([1, 'a', 'b']);
  expect(first?.cut).toEqual({
    ...{ text: '3 of 3 records: full', maxBatchSize: 3, why: 'full' },
    ...{ oldestMs: null, left: null, unseen: null, keptOut: [], tooLarge: null, fitting: null },
  });
  expect(second?.cut).toMatchObject({ maxBatchSize: 3, why: 'nothing_left', left: 0, keptOut: [] });
  expect(second?.cut.text).toBe('2 of 3 records: it was flushed manually, and no other record was buffered');
});

test.each(['record', 'batch'] as const)(
  'of a batch that rules keep small it tells which rules, with SAVE_ACTIVITY=%s',
  async (saveActivity) => {
    const conflicts: ConflictRule[] = [{ pair: ['x', 'y'] }, { group: [1, 2, 3] }];
    pipeline = await startPipeline({ settings: { conflicts, saveActivity } });
    await pipeline.batcher.pause('test');
    const [requestId = ''] = await pipeline.send([1, 2, 1, 2, 2]);
    await pipeline.batcher.resume('test');
    await pipeline.quiet();
    const batchId = (await pipeline.batcher.request(requestId))?.records[0]?.batchId ?? '';
    const batch = await pipeline.batcher.batch(batchId);
    expect(batch).toMatchObject({
      flushReason: 'age',
      records: [{ value: 1 }, { value: 1 }],
      cut: {
        ...{ maxBatchSize: 5, why: 'rules', left: 3, unseen: 0, tooLarge: 0, fitting: 0 },
        keptOut: [{ rule: conflicts[1], records: 3 }],
      },
    });
    expect(batch?.cut.oldestMs).toBeGreaterThanOrEqual(100);
    expect(batch?.cut.text).toMatch(
      /^2 of 5 records: its oldest record had waited \d+ ms, and all 3 remaining records conflict with it; {"group":\[1,2,3\]} kept out 3$/,
    );
  },
);

test('A buffered record tells what it waits for, and status what the batches were like.', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: HOUR, maxBatchSize: 3 } });
  await pipeline.batcher.pause('Ann');
  const before = Date.now();
  const [requestId = ''] = await pipeline.send([1, 2, 'a', 'b']);
  const paused = await pipeline.batcher.request(requestId);
  expect(paused?.records[0]?.waitsFor).toEqual({
    ...{ for: 'resume', by: 'Ann', text: 'the shard to be resumed: Ann paused it' },
  });
  await pipeline.batcher.resume('Ann');
  const left = await waitFor('the full batch to be saved', async () => {
    const view = await pipeline.batcher.request(requestId);
    return view?.counts.saved === 3 && view;
  });
  const { waitsFor } = left.records[1]!;
  expect(left.records[1]).toMatchObject({
    state: 'buffered',
    waitsFor: { for: 'age', passedOverBy: [{ pair: [1, 2] }] },
  });
  expect(Date.parse(waitsFor!.until!)).toBeGreaterThanOrEqual(before + HOUR);
  expect(waitsFor!.text).toBe(`enough records to fill its batch, until ${waitsFor!.until} at most`);
  expect(left.records.flatMap((record) => record.waitsFor ?? [])).toHaveLength(1);

  await pipeline.batcher.flush('test');
  await pipeline.quiet();
  const { shards, total } = await pipeline.batcher.status();
  expect(total.cuts).toEqual({
    ...{ batches: 2, records: 4, places: 6, fillRatio: 4 / 6, lowerBound: 2, deferred: 1 },
    deferredBy: [{ rule: { pair: [1, 2] }, records: 1 }],
  });
  expect(shards.map(({ cuts }) => cuts)).toEqual([total.cuts]);
});

test('A request is found also where a batch holds more requests than its search attribute can.', async () => {
  pipeline = await startPipeline({ settings: { maxBatchSize: 60 } });
  await pipeline.batcher.pause('test');
  const requestIds = await pipeline.send(...Array.from({ length: 60 }, (_, i) => [i + 10]));
  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  await pipeline.quiet();
  const views = await Promise.all(requestIds.map((requestId) => pipeline.batcher.request(requestId)));
  expect(views.map((view) => view?.counts.saved)).toEqual(requestIds.map(() => 1));
  const [batch] = (await pipeline.batcher.batches({ limit: 1 })).batches;
  expect(batch?.requestIds.toSorted()).toEqual(requestIds.toSorted());
});

test('Unknown requests and batches, and workflows that are not batches, are reported as unknown.', async () => {
  pipeline = await startPipeline();
  await pipeline.send(['a']);
  await pipeline.quiet();
  expect(await pipeline.batcher.request(`it's "not" \\ there`)).toBeUndefined();
  expect(await pipeline.batcher.batch('no-such-batch')).toBeUndefined();
  expect(await pipeline.batcher.batch(pipeline.batcherWorkflowId)).toBeUndefined();
});

test('Several shards share the work, each with its own batcher, and status sums them up.', async () => {
  pipeline = await startPipeline({ shards: 3 });
  const lists = Array.from({ length: 24 }, (_, i) => [1, 2, i + 10]);
  await pipeline.send(...lists);
  const { shards, total } = await waitFor('all to be settled', async () => {
    const status = await pipeline.batcher.status();
    return status.total.counters.saved === 72 && status.total.inFlight === 0 && status;
  });
  expect(shards.map(({ counters }) => counters.accepted).every((accepted) => accepted > 0)).toBe(true);
  expect(total.counters.accepted).toBe(72);
  for (const file of pipeline.store.files.values()) {
    const values = file.map(({ value }) => value);
    expect(values.includes(1) && values.includes(2)).toBe(false);
  }
});
