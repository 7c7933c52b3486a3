import { randomUUID } from 'node:crypto';
import { WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import { KIB, MIB, MINUTE } from '../../src/domain/duration';
import type { KeepapartError } from '../../src/domain/errors';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { GIVING_WAY } from '../../src/temporal/shard/giving-way';
import { Shards } from '../../src/temporal/shard/shards';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What arrives while no worker is there, from processes that start again and again: none of it is lost (G3, G6). */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

const VALUE = 'x'.repeat(60 * KIB);

/** A client whose questions fail at once and not after ten seconds, as they do without a worker. */
function unanswered(client: Client): Client {
  const executeUpdate = () =>
    Promise.reject(new WorkflowUpdateRPCTimeoutOrCancelledError('there is no worker'));
  const getHandle = (workflowId: string): object =>
    Object.create(client.workflow.getHandle(workflowId), {
      executeUpdate: { value: executeUpdate },
    }) as object;
  const workflow = Object.create(client.workflow, { getHandle: { value: getHandle } }) as object;
  return Object.create(client, { workflow: { value: workflow } }) as Client;
}

/** Sends lists until one is refused, as a process that has just started; how many records were taken. */
async function fill(maxBufferedBytes: number): Promise<number> {
  const { client, address } = pipeline;
  const limits = { maxBufferedRecords: 100_000, maxBufferedBytes };
  const givingWay = { ...GIVING_WAY, patienceMs: 50 };
  const process = createBatcherClient(client, new Shards(unanswered(client), address, limits, givingWay));
  for (let taken = 0; ; taken += 10) {
    try {
      await process.addRecords({ requestId: randomUUID(), values: Array.from({ length: 10 }, () => VALUE) });
    } catch (error) {
      // Whose own count says that it is full asks the batcher, which can't answer.
      expect(['buffer-full', 'temporal-unavailable']).toContain((error as KeepapartError).code);
      return taken;
    }
  }
}

test(
  'Processes that start one after another, without a worker, can fill a run no further than a worker can hand over.',
  async () => {
    pipeline = await startPipeline({ worker: 'none', settings: { saveActivity: 'batch', maxBatchSize: 20 } });
    let taken = 0;
    for (let i = 0; i < 3; i++) taken += await fill(32 * MIB);
    expect(taken * VALUE.length).toBeGreaterThan(14 * MIB);
    expect(taken * VALUE.length).toBeLessThan(17 * MIB);
    await pipeline.startWorker();
    await waitFor('all to be saved', () => pipeline.store.outcomes().length === taken, {
      timeoutMs: 8 * MINUTE,
    });
    expect((await pipeline.quiet()).counters).toMatchObject({ accepted: taken, saved: taken, lost: 0 });
  },
  10 * MINUTE,
);

test('Without a worker a buffer takes its bound and a MiB at the most, however often the processes start.', async () => {
  pipeline = await startPipeline({ worker: 'none' });
  let taken = 0;
  for (let i = 0; i < 5; i++) taken += await fill(1 * MIB);
  expect(taken * VALUE.length).toBeGreaterThan(MIB / 2);
  expect(taken * VALUE.length).toBeLessThan(2 * MIB);
});
