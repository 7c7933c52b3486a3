import { randomUUID } from 'node:crypto';
import { RUN_LIMITS } from '../../src/contracts/workflow/batcher';
import type { RecordStream } from '../../src/contracts/batcher-client';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { childSeqOf } from '../../src/domain/records/batch';
import type { JsonValue } from '../../src/domain/json';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { rescue } from '../../src/temporal/rescue/rescue';
import { deleteWorkflow, resetWorkflow } from '../helpers/by-hand';
import { savedValues } from '../helpers/memory-store';
import { anotherShards, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/**
 * What a batcher remembered when somebody terminated it, the next one knows: whatever comes to it a second time is taken
 * once, and no batch id names two batches (G4, G5).
 */
let pipeline: TestPipeline;
afterEach(async () => {
  jest.restoreAllMocks();
  await pipeline.close();
});

const start = async (options: Parameters<typeof startPipeline>[0] = {}): Promise<void> => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: 100 }, ...options });
};
const handle = (runId?: string) => pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId, runId);
const terminate = () => handle().terminate('by hand');
const sendOnce = (requestId: string, values: JsonValue[]) =>
  pipeline.batcher.addRecords({ requestId, values }, { once: true });
const openStream = (requestId: string): Promise<RecordStream> =>
  pipeline.batcher.openStream(requestId, { once: true, stillWanted: () => true });

async function write(stream: RecordStream, values: readonly JsonValue[]): Promise<void> {
  for (const value of values) await stream.write(value);
}

const EARLIER = ['1', '2', '3', '4'];
/** So many batches that a batcher which counts from 1 again would not come to the one after them by chance, and adopt it. */
async function sendEarlier(): Promise<void> {
  for (const value of EARLIER) {
    await pipeline.send([value]);
    await pipeline.quiet();
  }
}

/** Nothing is saved twice, and the batcher's sum is even. */
async function expectSaved(...values: JsonValue[]): Promise<void> {
  await pipeline.quiet();
  expect([...savedValues(pipeline.store)].sort()).toEqual(values);
  expect(pipeline.store.outcomes()).toHaveLength(values.length);
}

test('A stream that broke and whose batcher was terminated goes on where it is durable when it is sent again, each record saved once (G4, G5).', async () => {
  await start();
  await sendEarlier();
  const broken = await openStream('s');
  await write(broken, ['a', 'b', 'c']);
  expect(await broken.durable()).toBe(3);
  await pipeline.quiet();
  await terminate();

  const again = await openStream('s');
  await write(again, ['a', 'b', 'c', 'd', 'e']);
  expect(await again.end()).toBe(5);
  await expectSaved(...EARLIER, 'a', 'b', 'c', 'd', 'e');
  const whole = await openStream('s');
  await write(whole, ['a', 'b', 'c', 'd', 'e']);
  expect(await whole.end()).toBe(5);
  await expectSaved(...EARLIER, 'a', 'b', 'c', 'd', 'e');
});

test('A stream goes on while its batcher is terminated, and its client hears nothing of it (G3, G5).', async () => {
  await start();
  const stream = await openStream('s');
  await write(stream, ['a', 'b']);
  await waitFor('the beginning to be saved', () => savedValues(pipeline.store).length === 2);
  await pipeline.quiet();
  await terminate();
  await write(stream, ['c', 'd']);
  expect(await stream.end()).toBe(4);
  await expectSaved('a', 'b', 'c', 'd');
});

test('A stream all of which is out of reach with its batcher is known: rescue brings it back, and a repeat adds nothing (G4, G5).', async () => {
  await start();
  await pipeline.batcher.pause('test');
  const stream = await openStream('s');
  await write(stream, ['a', 'b']);
  expect(await stream.end()).toBe(2);
  await terminate();
  expect(await rescue(pipeline.client, pipeline.shards, { apply: { by: 'test' } })).toMatchObject({
    lost: 2,
    done: true,
  });
  const again = await openStream('s');
  await write(again, ['a', 'b']);
  expect(await again.end()).toBe(2);
  await expectSaved('a', 'b');
});

test('A message whose reply was lost, and that arrives again when its batcher was terminated, is taken once (G4).', async () => {
  await start();
  await sendEarlier();
  const { workflowService } = pipeline.client;
  const call = workflowService.signalWithStartWorkflowExecution.bind(workflowService) as (
    request: unknown,
  ) => Promise<unknown>;
  let repeated = false;
  const repeating = async (request: unknown): Promise<unknown> => {
    const reply = await call(request);
    if (repeated) return reply;
    repeated = true;
    await waitFor('the list to be saved', () => pipeline.store.outcomes().length === EARLIER.length + 2);
    await terminate();
    return call(request);
  };
  jest.spyOn(workflowService, 'signalWithStartWorkflowExecution').mockImplementation(repeating as never);
  await pipeline.batcher.addRecords({ requestId: randomUUID(), values: ['a', 'b'] });
  await pipeline.batcher.addRecords({ requestId: randomUUID(), values: ['c'] });
  await expectSaved(...EARLIER, 'a', 'b', 'c');
  expect(repeated).toBe(true);
});

test('Lists and parts that come before it is known what the earlier batcher took leave the buffer when they turn out to be repeats, and are not carried to another run before (G4, G5).', async () => {
  let answer = (): void => undefined;
  const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
  let asked = 0;
  await start({
    limits: { messages: 4 },
    activities: (usual) => ({
      findLeft: async (input) => {
        if (++asked > 1) await mayAnswer;
        return usual.findLeft(input);
      },
    }),
  });
  await sendOnce('k', ['a', 'b']);
  await pipeline.quiet();
  await terminate();
  await pipeline.client.workflow.start(WORKFLOW_TYPE.batcher, {
    workflowId: pipeline.batcherWorkflowId,
    taskQueue: pipeline.address.taskQueue,
    args: [{ settings: pipeline.address.settings, limits: { ...RUN_LIMITS, messages: 4 } }],
  });
  await sendOnce('k', ['a', 'b']);
  for (const value of ['c', 'd', 'e', 'f', 'g']) await sendOnce(value, [value]);
  expect((await pipeline.status()).run.continuedAsNew).toBe(0);
  answer();
  await expectSaved('a', 'b', 'c', 'd', 'e', 'f', 'g');
  expect((await pipeline.status()).run.continuedAsNew).toBeGreaterThan(0);
});

test('Keys of before a termination are known when the next batcher is reset to its first task (G5).', async () => {
  await start();
  await sendOnce('first', ['a']);
  await pipeline.quiet();
  await terminate();
  await sendOnce('second', ['b']);
  await pipeline.quiet();
  expect(await resetWorkflow(pipeline.client, pipeline.batcherWorkflowId)).toBeDefined();
  await pipeline.quiet();
  await sendOnce('first', ['a']);
  await sendOnce('second', ['b']);
  await expectSaved('a', 'b');
});

test('A key of a shard that SHARDS no longer has is looked for there, also when the batcher that knew of it was terminated (G5).', async () => {
  await start({ shards: 2 });
  const keys = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6'];
  for (const key of keys) await sendOnce(key, [key]);
  await pipeline.quiet();
  const withOne = () => createBatcherClient(pipeline.client, anotherShards(pipeline, { shards: 1 }));
  await withOne().addRecords({ requestId: 'other', values: ['other'] }, { once: true });
  await pipeline.quiet();
  await terminate();
  const started = withOne();
  for (const key of keys) await started.addRecords({ requestId: key, values: [key] }, { once: true });
  await expectSaved(...keys, 'other');
});

describe('the id of a batch that Temporal no longer knows is not given again', () => {
  const remove = (workflowId: string, runId?: string) => deleteWorkflow(pipeline.client, workflowId, runId);
  const numbers = () => {
    const ids = new Set(pipeline.store.saves.map(({ batchId }) => batchId));
    return [...ids].map(childSeqOf);
  };

  test('The id of a batch that Temporal no longer knows is not reused after its batcher was terminated (G4).', async () => {
    await start();
    for (const value of ['a', 'b']) {
      await pipeline.send([value]);
      await pipeline.quiet();
    }
    const [, last = ''] = [...new Set(pipeline.store.saves.map(({ batchId }) => batchId))];
    await terminate();
    await remove(last);
    await pipeline.send(['c']);
    await expectSaved('a', 'b', 'c');
    expect(numbers()).toEqual([1, 2, 3]);
  });

  test("The id of a batch that Temporal no longer knows is not reused after its batcher's last run was deleted too (G4).", async () => {
    await start({ limits: { messages: 3 } });
    for (const value of ['a', 'b', 'c', 'd', 'e']) {
      await pipeline.send([value]);
      await pipeline.quiet();
    }
    expect((await pipeline.status()).run.continuedAsNew).toBeGreaterThan(0);
    const last = [...new Set(pipeline.store.saves.map(({ batchId }) => batchId))].at(-1) ?? '';
    const { runId } = await handle().describe();
    await terminate();
    await remove(last);
    await remove(pipeline.batcherWorkflowId, runId);
    await pipeline.send(['f']);
    await expectSaved('a', 'b', 'c', 'd', 'e', 'f');
    expect(numbers().slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(numbers()[5]).toBeGreaterThan(5);
  });
});
