import { WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { changeLimits } from '../../src/temporal/shard/limits';
import { Shards } from '../../src/temporal/shard/shards';
import { TEST_SETTINGS } from '../helpers/test-settings';

const IN_FORCE = { limits: TEST_SETTINGS, overridden: {} };
const TIMED_OUT = Object.assign(new Error('deadline exceeded'), {
  name: 'WorkflowUpdateRPCTimeoutOrCancelledError',
});
const refusal = (type: string, details: unknown[] = []) =>
  new WorkflowUpdateFailedError(
    '',
    ApplicationFailure.create({ type, message: 'refused', details: [details] }),
  );

/** A client whose batchers, one per shard, answer as given. */
function clientOf(answers: unknown[]): Client {
  const getHandle = (workflowId: string) => ({
    executeUpdate: () => {
      const answer = answers[Number(workflowId.slice('b-'.length))];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  });
  const list = () => [];
  const withDeadline = (_: unknown, call: () => unknown) => call();
  return { workflow: { getHandle, list }, withDeadline } as unknown as Client;
}

const change = (...answers: unknown[]) => {
  const address = { batcherId: 'b', taskQueue: 'q', shards: answers.length, settings: TEST_SETTINGS };
  const limits = { maxBufferedRecords: 1, maxBufferedBytes: 1 };
  return changeLimits(new Shards(clientOf(answers), address, limits), { maxBatchSize: 2 }, 'Ann');
};

test('The result of each shard is reported.', async () => {
  expect(await change(IN_FORCE, IN_FORCE)).toMatchObject({
    by: 'Ann',
    shards: [
      { shard: 0, batcher: 'b-0', ...IN_FORCE },
      { shard: 1, batcher: 'b-1', ...IN_FORCE },
    ],
  });
});

test('A partial change reports each shard as changed, refused or unknown.', async () => {
  const problems = [{ field: '/a', expected: 'b', received: 'c' }];
  await expect(change(IN_FORCE, TIMED_OUT, refusal('invalid-request', problems))).rejects.toMatchObject({
    code: 'limits-incomplete',
    retryAfterMs: 1000,
    progress: {
      shards: [
        { batcher: 'b-0', change: 'changed' },
        { batcher: 'b-1', change: 'unknown', reason: expect.stringContaining('deadline exceeded') },
        { batcher: 'b-2', change: 'refused', reason: 'refused' },
      ],
    },
  });
});

test('What no shard has done is that failure alone; a worker that does not know the update counts as none.', async () => {
  const problems = [{ field: '/a', expected: 'b', received: 'c' }];
  const refused = refusal('invalid-request', problems);
  await expect(change(refused, refused)).rejects.toMatchObject({ code: 'invalid-request', problems });
  await expect(change(TIMED_OUT)).rejects.toMatchObject({ code: 'temporal-unavailable', retryAfterMs: 1000 });
  await expect(change(refusal('UnknownUpdate'))).rejects.toMatchObject({ code: 'temporal-unavailable' });
});

test('A bug of ours is none of them.', async () => {
  await expect(change(IN_FORCE, new TypeError('oh'))).rejects.toThrow(TypeError);
});
