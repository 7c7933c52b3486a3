import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { WORKFLOW_TYPE, batcherWorkflowId } from '../../src/contracts/workflow/ids';
import { childIdOf } from '../../src/domain/records/batch';
import type { PackedBuffer } from '../../src/domain/buffer/buffer';
import { HOUR, KIB } from '../../src/domain/duration';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { firstChild, runReplay } from '../helpers/replay-command';
import { temporaryFolder } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';
import { historyToText } from '../replay/history-json';

/** `keepapart replay` over what a real server has. */
jest.setTimeout(180_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pipeline: TestPipeline | undefined;
let release: () => void = () => undefined;

beforeEach(async () => (folder = await temporaryFolder()));
afterEach(async () => {
  release();
  await pipeline?.close();
  pipeline = undefined;
  await folder.remove();
});

const replay = (args: readonly string[], env?: Record<string, string>) => runReplay(folder.path, args, env);

test('Replays the open and closed workflows of a live server, also in the middle of things and of an earlier SHARDS (G8).', async () => {
  pipeline = await startPipeline({
    worker: 'own',
    settings: { flushIntervalMs: HOUR },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 3 },
  });
  const { client, address, store, batcherWorkflowId: id } = pipeline;
  let held = 0;
  const released = new Promise<void>((resolve) => (release = resolve));
  store.beforeSave = ({ value }) => {
    if (value !== 'slow') return;
    held++;
    return released;
  };
  await pipeline.send(['slow', 3, 4, 5, 6]);
  await pipeline.send([7, 8, 9, 10, 11]);
  await pipeline.send([1, 2]);
  await waitFor('the next run', async () => (await pipeline!.status()).run.continuedAsNew === 1);
  await pipeline.send(['slow', 13, 14, 15, 16]);
  await waitFor('two slow batches', () => held === 2);
  await client.workflow.getHandle(childIdOf(id, 3)).terminate();
  const closed = (count: number) =>
    waitFor('what is closed to be listed', async () => {
      const query = `KeepapartBatcher = '${id}' AND CloseTime IS NOT NULL`;
      return (await client.workflow.count(query)).count === count;
    });
  // The batcher has it settled by a run of its own.
  await closed(4);
  await waitFor('the open batch to be listed', async () => {
    const query = `KeepapartBatcher = '${id}' AND WorkflowType = 'batchesWorkflow' AND CloseTime IS NULL`;
    return (await client.workflow.count(query)).count === 1;
  });

  const env = { KEEPAPART_BATCHER_ID: address.batcherId };
  const named = { ...env, TEMPORAL_ADDRESS: testServer().address };
  const busy = await replay(['--live', '--json'], named);
  expect(busy).toMatchObject({ code: 0 });
  expect(busy.report()).toEqual({
    replayed: { batcherWorkflow: { open: 1, closed: 1 }, batchesWorkflow: { open: 1, closed: 3 } },
    notBegun: 0,
    gone: 0,
    mismatches: [],
    complete: true,
  });

  // A batcher that has records before it which no worker has seen, and one that no worker has seen at all.
  release();
  await waitFor('no batch in flight', async () => (await pipeline!.status()).inFlight === 0);
  await closed(5);
  await pipeline.stopWorker();
  await pipeline.send([21, 22, 23, 24, 25]);
  const other = await client.workflow.start(WORKFLOW_TYPE.batcher, {
    workflowId: batcherWorkflowId(address.batcherId, 1),
    taskQueue: address.taskQueue,
    args: [{ settings: address.settings }],
  });
  await waitFor('the other batcher to be listed', async () => {
    const query = `WorkflowId = '${other.workflowId}' AND CloseTime IS NULL`;
    return (await client.workflow.count(query)).count === 1;
  });
  // Found as an embedded server is, by its port.
  const embedded = { ...env, KEEPAPART_TEMPORAL_PORT: testServer().address.split(':')[1]! };
  const waiting = await replay(['--live', '--closed', '1', '--json'], embedded);
  await other.terminate();
  expect(waiting).toMatchObject({ code: 0 });
  expect(waiting.report()).toMatchObject({
    replayed: { batcherWorkflow: { open: 1, closed: 1 }, batchesWorkflow: { open: 0, closed: 1 } },
    notBegun: 1,
  });
});

test('Replays a buffer in pages, and sees when a page is given other records (G4, G8).', async () => {
  pipeline = await startPipeline({
    settings: { flushIntervalMs: HOUR },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 20 },
  });
  const { client, address, batcherWorkflowId: id } = pipeline;
  const { runId } = await client.workflow.getHandle(id).describe();
  await pipeline.batcher.pause('test');
  for (let i = 0; i < 20; i++) await pipeline.send(['x'.repeat(4 * KIB), `and ${i}`]);
  const { pages } = await waitFor('pages', async () => {
    const status = await pipeline!.status();
    return status.pages > 0 && status;
  });
  await waitFor('the pages to be listed', async () => {
    const query = `KeepapartBatcher = '${id}' AND WorkflowType = '${WORKFLOW_TYPE.bufferPage}'`;
    return (await client.workflow.count(query)).count === pages;
  });
  const live = { TEMPORAL_ADDRESS: testServer().address, KEEPAPART_BATCHER_ID: address.batcherId };
  const { code, report } = await replay(['--live', '--json'], live);
  expect(code).toBe(0);
  expect(report().replayed).toMatchObject({ bufferPageWorkflow: { open: pages, closed: 0 } });

  const history = JSON.parse(historyToText(await client.workflow.getHandle(id, runId).fetchHistory()));
  const payload = firstChild(history.events).input.payloads[0];
  const content = JSON.parse(Buffer.from(payload.data, 'base64').toString()) as PackedBuffer;
  content.runs.at(-1)![4].pop();
  payload.data = Buffer.from(JSON.stringify(content)).toString('base64');
  await writeFile(path.join(folder.path, 'other-page.json'), JSON.stringify(history));
  const other = await replay([folder.path, '--json']);
  expect(other.code).toBe(1);
  expect(other.report().mismatches).toEqual([
    expect.objectContaining({
      recorded: expect.stringMatching(/^starts .+-page-00000001 with /),
      original: expect.stringMatching(/^OtherBatches: .+-page-00000001 held /),
    }),
  ]);
});

test("Replays what Temporal's own command line shows (G8).", async () => {
  pipeline = await startPipeline();
  await pipeline.send([1, 2, 3]);
  await pipeline.quiet();
  const { address, binary } = testServer();
  for (const workflowId of [pipeline.batcherWorkflowId, childIdOf(pipeline.batcherWorkflowId, 1)]) {
    const args = ['workflow', 'show', '--workflow-id', workflowId, '--output', 'json', '--address', address];
    await writeFile(path.join(folder.path, `${workflowId}.json`), execFileSync(binary, args));
  }
  const { code, report } = await replay([folder.path, '--json']);
  expect(code).toBe(0);
  expect(report().replayed).toEqual({
    batcherWorkflow: { open: 1, closed: 0 },
    batchesWorkflow: { open: 0, closed: 1 },
  });
});
