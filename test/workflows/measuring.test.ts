import { Worker } from '@temporalio/worker';
import type { ClosedBatchReport } from '../../src/contracts/instruments';
import { workerSinks } from '../../src/temporal/worker/worker-sinks';
import { bundleOfToday } from '../helpers/builds';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';

let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** Counts what workflows report. */
function counting() {
  const waves: ClosedBatchReport[][] = [];
  return {
    waves,
    sinks: workerSinks({
      batchesClosed: (reports) => void waves.push([...reports]),
      batchesEndedEarly: () => undefined,
    }),
  };
}

test('A closed batch is reported once, whatever it holds, and never in a replay.', async () => {
  const live = counting();
  pipeline = await startPipeline({ settings: { saveActivity: 'record' }, tuning: { sinks: live.sinks } });
  await pipeline.send([1, 2, 3, 4]);
  const { counters } = await pipeline.quiet();
  const reports = live.waves.flat();
  expect(live.waves).toHaveLength(counters.batchesCompleted);
  expect(reports.reduce((sum, { saved }) => sum + saved, 0)).toBe(4);
  for (const report of reports) {
    expect(report).toMatchObject({ reason: 'age', places: 5, rolledBack: 0, undoFailed: 0 });
    expect(report.waits.reduce((sum, { saved }) => sum + saved, 0)).toBe(report.saved);
    expect(Math.min(...report.waits.map(({ waitedMs }) => waitedMs))).toBeGreaterThanOrEqual(0);
    expect(report.attempts).toEqual([[1, report.saved]]);
  }

  const { batches } = await pipeline.batcher.batches({ limit: 10 });
  const again = counting();
  async function* histories() {
    for (const { batchId } of batches)
      yield {
        workflowId: batchId,
        history: await pipeline.client.workflow.getHandle(batchId).fetchHistory(),
      };
  }
  const workflowBundle = bundleOfToday(false);
  let replayed = 0;
  for await (const { error } of Worker.runReplayHistories(
    { workflowBundle, sinks: again.sinks },
    histories(),
  )) {
    expect(error).toBeUndefined();
    replayed++;
  }
  expect([replayed, again.waves]).toEqual([counters.batchesCompleted, []]);
});

test('A batcher says what its buffer waits for, and the sum is what it holds.', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: 3_600_000 } });
  await pipeline.send([1, 2, 3]);
  const { shards } = await pipeline.batcher.waits();
  expect(shards).toMatchObject([
    {
      bufferedRecords: 3,
      waits: [{ for: 'age', records: 3, until: expect.any(String) }],
      rules: [{ rule: { pair: [1, 2] }, records: 1 }],
    },
  ]);
  await pipeline.batcher.pause('Ann');
  const paused = await pipeline.batcher.waits();
  expect(paused.shards[0]?.waits).toEqual([
    { text: expect.stringContaining('Ann'), for: 'resume', by: 'Ann', records: 3 },
  ]);
  expect((await pipeline.shard.read())?.status).toMatchObject({ bufferedRecords: 3, oldestDueAtMs: null });
});
