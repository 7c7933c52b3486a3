import { RUN_LIMITS, drainSignal, type BatcherInput } from '../../src/contracts/workflow/batcher';
import { WORKFLOW_TYPE, bufferPageId } from '../../src/contracts/workflow/ids';
import { childSeqOf } from '../../src/domain/records/batch';
import type { PackedBuffer } from '../../src/domain/buffer/buffer';
import { HOUR, KIB } from '../../src/domain/duration';
import { MAX_CARRIED_HEAD_BYTES, MAX_CARRIED_TAIL_BYTES } from '../../src/domain/buffer/paged-buffer';
import { inputOf, readStart } from '../../src/temporal/server/history';
import { createWorkflowAccess } from '../../src/temporal/worker/workflow-access';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** A buffer that is too large to be carried: kept in pages, and nothing of it lost, doubled or overtaken. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

const LARGE = 'x'.repeat(4 * KIB);

/** A paused batcher whose buffer has been handed over in pages at least once; the requests that it holds. */
async function withPagedBuffer(options: Parameters<typeof startPipeline>[0] = {}): Promise<string[]> {
  pipeline = await startPipeline({
    ...options,
    settings: { flushIntervalMs: HOUR, maxBatchSize: 20 },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 20, ...options.limits },
  });
  await pipeline.batcher.pause('test');
  const requestIds: string[] = [];
  for (let i = 0; i < 30; i++) {
    requestIds.push(...(await pipeline.send([`${i} ${LARGE}`, `and ${i}`, i % 2 === 0 ? 1 : 2])));
  }
  await waitFor('pages', async () => (await pipeline.status()).pages > 0);
  return requestIds;
}

async function pageStates(): Promise<string[]> {
  const states: string[] = [];
  const query = `WorkflowType = '${WORKFLOW_TYPE.bufferPage}' AND KeepapartBatcher = '${pipeline.batcherWorkflowId}'`;
  for await (const { status } of pipeline.client.workflow.list({ query })) states.push(status.name);
  return states;
}

test('A paused buffer is carried in pages, answers for them, and comes back whole and in order (G4, G6, G7).', async () => {
  const requestIds = await withPagedBuffer();
  const before = await pipeline.status();
  expect(before).toMatchObject({ bufferedRecords: 90, paused: { by: 'test' } });
  const started = await readStart(pipeline.client, pipeline.batcherWorkflowId);
  const { carried } = (await inputOf(pipeline.client, started, pipeline.batcherWorkflowId)) as BatcherInput;
  // Beside the buffer a state takes little; a record may have arrived while the pages were made.
  const most = MAX_CARRIED_HEAD_BYTES + MAX_CARRIED_TAIL_BYTES + RUN_LIMITS.lateBytes + 8 * KIB;
  expect(Buffer.byteLength(JSON.stringify(carried))).toBeLessThan(most);

  for (const requestId of [requestIds[0]!, requestIds[15]!, requestIds[29]!]) {
    expect((await pipeline.batcher.request(requestId))?.counts).toMatchObject({ buffered: 3 });
  }

  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  const after = await pipeline.quiet();
  expect(after).toMatchObject({ pages: 0, counters: { saved: 90, rolledBack: 0 } });
  const saved = pipeline.store.outcomes().map(({ recordId }) => recordId);
  expect([...saved].sort()).toEqual(requestIds.flatMap((id) => [0, 1, 2].map((i) => `${id}:${i}`)).sort());
  const files = [...pipeline.store.files.values()].map((file) => file.map(({ value }) => value));
  for (const values of files) expect(values.includes(1) && values.includes(2)).toBe(false);

  const seqOf = (value: string) => {
    const file = [...pipeline.store.files].find(([, records]) => records.some((r) => r.value === value));
    return childSeqOf(file![0].replace('.log', ''));
  };
  expect(seqOf('and 0')).toBeLessThan(seqOf('and 15'));
  expect(seqOf('and 15')).toBeLessThan(seqOf('and 29'));
  await waitFor('the pages to be let go', async () => {
    const states = await pageStates();
    return states.length > 0 && states.every((state) => state === 'COMPLETED');
  });
});

test('A page that somebody terminates is read all the same (G4).', async () => {
  await withPagedBuffer();
  const page = pipeline.client.workflow.getHandle(bufferPageId(pipeline.batcherWorkflowId, 1));
  // The batcher counts it from when it asks for its start.
  await waitFor('the page to have started', () =>
    page.describe().then(
      () => true,
      () => false,
    ),
  );
  await page.terminate('by hand');
  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  expect((await pipeline.quiet()).counters).toMatchObject({ saved: 90 });
});

test('A page that is slow to read does not delay continue-as-new, and is read by the next run (G4, G8).', async () => {
  let asked = 0;
  let release: (page: PackedBuffer) => void = () => undefined;
  const slow = new Promise<PackedBuffer>((resolve) => (release = resolve));
  const requestIds = await withPagedBuffer({
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 20, lateBytes: 24 * KIB, startsUnderWay: 10 },
    access: {
      readPage: (pageId) => (++asked === 1 ? slow : createWorkflowAccess(pipeline.client).readPage(pageId)),
    },
  });
  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  await waitFor('a page to be asked for', () => asked === 1);
  const { continuedAsNew } = (await pipeline.status()).run;
  for (let i = 0; i < 25; i++) requestIds.push(...(await pipeline.send([`late ${i}`])));
  await waitFor('a handing over', async () => (await pipeline.status()).run.continuedAsNew > continuedAsNew);
  release({ runs: [], flushOldest: 0 });
  await pipeline.batcher.flush('test');
  expect(await pipeline.quiet()).toMatchObject({ pages: 0, counters: { saved: 90 + 25, rolledBack: 0 } });
  expect(pipeline.store.outcomes()).toHaveLength(90 + 25);
});

test('A drain covers what lies in pages (G4).', async () => {
  await withPagedBuffer();
  await pipeline.shards.control(drainSignal, 'test');
  await waitFor('the drain to be known', async () => (await pipeline.status()).drain?.bufferedRecords === 90);
  await pipeline.batcher.resume('test');
  await waitFor('the drain to be done', async () => {
    const { drain } = await pipeline.status();
    return drain?.bufferedRecords === 0 && drain.inFlight === 0;
  });
  expect(pipeline.store.outcomes()).toHaveLength(90);
});
