import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { readBatchFiles } from '../helpers/audit';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { storeFolders } from '../helpers/store-folders';
import { startSystem, type System } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(180_000);

let pipeline: TestPipeline;
let worker: System | undefined;
afterEach(async () => {
  await worker?.killGroup();
  await pipeline.close();
});

test('kill -9 of a worker whose batches wait for a store that is away costs no record an attempt, and each is saved once (G4).', async () => {
  const folders = await storeFolders();
  pipeline = await startPipeline({
    worker: 'none',
    settings: { maxAttempts: 1, maxBatchSize: 2, outcomeFormat: 'json' },
  });
  const env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: pipeline.address.batcherId,
    KEEPAPART_TASK_QUEUE: pipeline.address.taskQueue,
    KEEPAPART_DATA_DIR: folders.dataDir,
    KEEPAPART_OUT_DIR: folders.outDir,
  };
  const start = () => startSystem('worker', { cwd: folders.dataDir, env });
  worker = await start();
  const staging = join(folders.dataDir, 'staging');
  renameSync(staging, `${staging} unmounted`);
  const [requestId] = await pipeline.send(['a', 'b', 'c']);
  // Of a record that is being tried nobody knows whether it was saved, so that a kill costs its attempt.
  const waiting = await waitFor('all to wait for the store', async () => {
    const { records = [] } = (await pipeline.batcher.request(String(requestId))) ?? {};
    return (
      records.length === 3 &&
      records.every(({ state, waitsFor }) => state === 'in_batch' && waitsFor?.for === 'store') &&
      records
    );
  });
  expect(waiting[0]?.waitsFor).toMatchObject({ reason: expect.stringContaining('ENOENT') });

  await worker.killGroup();
  // Makes the folder anew, as it starts.
  worker = await start();
  const { counters } = await waitFor(
    'all to have their outcome',
    async () => {
      const status = await pipeline.status();
      return status.inFlight === 0 && status.bufferedRecords === 0 && status;
    },
    { timeoutMs: 120_000 },
  );
  expect(counters).toMatchObject({ saved: 3, rolledBack: 0, batchesFailed: 0 });
  const lines = [...(await readBatchFiles(folders.outDir)).values()].flat();
  expect(lines.map(({ recordId, outcome, attempts }) => [recordId, outcome, attempts]).sort()).toEqual(
    [0, 1, 2].map((index) => [`${requestId}:${index}`, 'saved', 1]),
  );
});
