import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
  defaultPayloadConverter,
} from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities, type ActivityDeps, type WorkflowAccess } from '../../activities';
import {
  ACTIVITY_TIMEOUTS,
  CHILD_CLOSING,
  ROLLBACK_ATTEMPTS,
  type ChildClosing,
} from '../../src/contracts/workflow/activities';
import { ERRORS, KeepapartError, RETRIED, type ErrorCode } from '../../src/domain/errors';
import { OUTCOME, type SettledRecord } from '../../src/domain/records/outcome';
import { EncryptionCodec } from '../../src/temporal/codec/encryption-codec';
import { KeyRing } from '../../src/temporal/codec/key-ring';
import {
  CANCELLED_SAVE,
  countedAttempts,
  describeSaveFailure,
  describeUndoFailure,
} from '../../workflows/child/failures';
import { packKept, packOutcomes } from '../../src/domain/records/packed-batch';
import { createMemoryStore } from '../helpers/memory-store';

const batch = { batchId: 'b-00000001', openedAtMs: 0 };
const record = { recordId: 'r:0', value: { a: 1 } };
const batches = { openedAtMs: 0, batches: [{ batchId: batch.batchId, records: packKept([record]) }] };
const closed: ChildClosing = {
  status: CHILD_CLOSING.completed,
  batches: 1,
  saved: 1,
  rolledBack: 0,
  retries: 0,
};

function activitiesOver({
  store = createMemoryStore(),
  ...workflows
}: Partial<Pick<ActivityDeps, 'store'> & WorkflowAccess>) {
  const notAskedFor = () => Promise.reject(new Error('not asked for'));
  return createActivities({
    store,
    workflows: {
      waitForChild: notAskedFor,
      restartChild: notAskedFor,
      readChild: notAskedFor,
      unfinishedChildren: notAskedFor,
      leftBefore: notAskedFor,
      startedBefore: notAskedFor,
      readPage: notAskedFor,
      notifyOfStore: notAskedFor,
      ...workflows,
    },
  });
}

function newEnvironment(attempt = 1): MockActivityEnvironment {
  return new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
}

function run<Input, Result>(
  activity: (input: Input) => Promise<Result>,
  input: Input,
  environment = newEnvironment(),
): Promise<Result> {
  return environment.run<[Input], Result, typeof activity>(activity, input);
}

async function failureOf(call: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof ApplicationFailure)) throw new Error(`failed with ${String(failure)}`);
  return failure;
}

describe('save', () => {
  test('passes the record and its batch to the store, and returns the number of the successful attempt.', async () => {
    const store = createMemoryStore();
    const saved = jest.spyOn(store, 'save');
    const { save } = activitiesOver({ store });
    expect(await run(save, { record, batch }, newEnvironment(2))).toEqual({
      attempt: 2,
      tookMs: expect.any(Number),
    });
    const attempt = { number: 2, isFirst: false, signal: expect.any(Object) };
    expect(saved.mock.calls).toEqual([[record, batch, attempt]]);
  });

  test('fails as save-failed, to be retried, with its attempt, when the store fails.', async () => {
    const cause = new Error('no luck');
    const store = { ...createMemoryStore(), save: () => Promise.reject(cause) };
    const { save } = activitiesOver({ store });
    const failure = await failureOf(run(save, { record, batch }, newEnvironment(3)));
    expect(failure).toMatchObject({
      message: 'no luck',
      type: 'save-failed',
      nonRetryable: false,
      details: [{ attempt: 3 }],
      cause,
    });
  });

  test.each<ErrorCode>(['record-rejected', 'batch-already-closed', 'staged-record-missing'])(
    'fails as what the store says, %s, and is retried as the catalogue says.',
    async (code) => {
      const store = { ...createMemoryStore(), save: () => Promise.reject(new KeepapartError(code, 'Why')) };
      const { save } = activitiesOver({ store });
      const failure = await failureOf(run(save, { record, batch }));
      expect(failure).toMatchObject({
        message: 'Why',
        type: code,
        nonRetryable: ERRORS[code].retried === RETRIED.never,
        details: [{ attempt: 1 }],
      });
    },
  );

  test('fails with a readable message if the store throws something other than an error.', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a store may be that bad
    const store = { ...createMemoryStore(), save: () => Promise.reject('just a text') };
    const failure = await failureOf(run(activitiesOver({ store }).save, { record, batch }));
    expect(failure).toMatchObject({ message: 'just a text', type: 'save-failed', nonRetryable: false });
  });
});

describe('rollback and closeBatches', () => {
  const settled: SettledRecord = { ...record, outcome: OUTCOME.saved, attempts: 1, atMs: 0 };
  const { kinds, of } = packOutcomes([[settled]]);
  const closing = {
    openedAtMs: 0,
    batches: batches.batches.map((one, i) => ({ ...one, outcomes: of[i] ?? [] })),
    kinds,
    format: 'json' as const,
  };

  test('pass their input to the store; closing returns the location of the batch.', async () => {
    const store = createMemoryStore();
    const { rollback, closeBatches } = activitiesOver({ store });
    expect(await run(rollback, { ...batches, before: 0 })).toEqual({ failures: [], failed: [] });
    expect(store.rollbacks).toEqual([record.recordId]);
    const [location] = [...(await run(closeBatches, closing)).batches];
    expect(location).toEqual({ location: [...store.files.keys()][0] });
    expect([...store.files.values()]).toEqual([[settled]]);
  });

  test("fail with store-failed, to be retried, or with the store's own code, and report their attempt.", async () => {
    const store = {
      ...createMemoryStore(),
      rollback: () => Promise.reject(new Error('away')),
      closeBatch: () => Promise.reject(new KeepapartError('batch-file-conflict', 'Another file')),
    };
    const { rollback, closeBatches } = activitiesOver({ store });
    const undone = await failureOf(run(rollback, { ...batches, before: 0 }));
    expect(undone).toMatchObject({ message: 'away', type: 'store-failed', nonRetryable: false });
    expect(undone.details).toEqual([{ attempt: 1 }]);
    const published = await failureOf(run(closeBatches, closing));
    expect(published).toMatchObject({ type: 'batch-file-conflict', nonRetryable: false });
  });
});

describe('settleBatch', () => {
  const settled = {
    batch: { ...batch, flushReason: 'size' as const, records: [record] },
    format: 'text' as const,
  };
  const input = { ...settled, reason: 'its batch was terminated', atMs: 7 };

  test('G4: rolls back and publishes records without an outcome, and returns the same when it is repeated.', async () => {
    const store = createMemoryStore();
    const { settleBatch } = activitiesOver({ store });
    const result = await run(settleBatch, input);
    expect(result.outcomes).toEqual([
      { recordId: 'r:0', outcome: OUTCOME.rolledBack, attempts: 0, error: input.reason, atMs: 7 },
    ]);
    expect(await run(settleBatch, { ...input, atMs: 8 }, newEnvironment(2))).toEqual(result);
    expect(store.rollbacks).toEqual(['r:0']);
    expect(store.outcomes()).toHaveLength(1);
  });

  test('is retried while a rollback fails, up to the limit of rollback attempts, and then reports the failure.', async () => {
    const store = createMemoryStore();
    store.beforeRollback = () => {
      throw new Error('away');
    };
    const { settleBatch } = activitiesOver({ store });
    const environment = newEnvironment(ROLLBACK_ATTEMPTS - 1);
    expect(await failureOf(run(settleBatch, input, environment))).toMatchObject({
      type: 'store-failed',
      nonRetryable: false,
    });
    expect(store.files.size).toBe(0);
    const { outcomes } = await run(settleBatch, input, newEnvironment(ROLLBACK_ATTEMPTS));
    expect(outcomes).toMatchObject([
      {
        error: 'its batch was terminated; its rollback failed after 10 attempts: away',
        rollbackError: 'away',
      },
    ]);
  });

  test('does not repeat a rollback that can never succeed.', async () => {
    const store = createMemoryStore();
    store.beforeRollback = () => {
      throw new KeepapartError('record-rejected', 'append only');
    };
    const { outcomes } = await run(activitiesOver({ store }).settleBatch, input);
    expect(outcomes).toMatchObject([{ rollbackError: 'append only' }]);
  });
});

test('A store that asks for a certain retry time is retried then.', async () => {
  const store = createMemoryStore();
  store.beforeSave = () => {
    throw new KeepapartError('save-failed', 'busy', { retryAfterMs: 2500 });
  };
  const failure = await failureOf(run(activitiesOver({ store }).save, { record, batch }));
  expect(failure).toMatchObject({ nonRetryable: false, nextRetryDelay: 2500 });
});

describe('adoptChild', () => {
  test('returns how the child closed.', async () => {
    const waitForChild = jest.fn(() => Promise.resolve(closed));
    const { adoptChild } = activitiesOver({ waitForChild });
    const environment = newEnvironment();
    expect(await run(adoptChild, { childId: 'b-1' }, environment)).toEqual(closed);
    expect(waitForChild).toHaveBeenCalledWith('b-1', environment.context.cancellationSignal);
  });

  test('stops when it is cancelled, and fails with a cancellation.', async () => {
    const environment = newEnvironment();
    const waitForChild = (_: string, signal: AbortSignal) =>
      new Promise<ChildClosing>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        environment.cancel('CANCELLED');
      });
    const { adoptChild } = activitiesOver({ waitForChild });
    await expect(run(adoptChild, { childId: 'b-1' }, environment)).rejects.toBeInstanceOf(CancelledFailure);
  });
});

describe('heartbeats', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  // Time passes inside the work, as only there the activity's context is the current one.
  const forTimeout = (heartbeatTimeouts: number) => {
    jest.advanceTimersByTime(heartbeatTimeouts * ACTIVITY_TIMEOUTS.heartbeatMs);
    return Promise.resolve();
  };

  test.each(['save', 'saveBatches', 'rollback', 'closeBatches', 'adoptChild', 'settleBatch'] as const)(
    '%s sends them while its work goes on, well within the time-out, and none afterwards.',
    async (name) => {
      const store = {
        save: () => forTimeout(2),
        rollback: () => forTimeout(2),
        closeBatch: () => forTimeout(2).then(() => ({ location: 'there' })),
        readBatch: () => Promise.resolve(undefined),
      };
      const activities = activitiesOver({ store, waitForChild: () => forTimeout(2).then(() => closed) });
      const environment = newEnvironment();
      const beats: number[] = [];
      const startedAtMs = Date.now();
      environment.on('heartbeat', () => beats.push(Date.now() - startedAtMs));
      const [one] = batches.batches.map((packed) => ({ ...packed, outcomes: [0] }));
      const input = {
        ...{ record, batch: { ...batch, records: [] }, childId: 'b-1' },
        ...{
          openedAtMs: 0,
          batches: [one],
          kinds: [{ outcome: 'saved', attempts: 1, atMs: 0 }],
          format: 'text',
        },
      };
      await run(activities[name] as (given: typeof input) => Promise<unknown>, input, environment);

      const gaps = beats.map((beat, at) => beat - (beats[at - 1] ?? 0));
      expect(beats.length).toBeGreaterThanOrEqual(4);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(ACTIVITY_TIMEOUTS.heartbeatMs / 2);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  test('stop when the work fails.', async () => {
    const store = { ...createMemoryStore(), save: () => Promise.reject(new Error('no luck')) };
    await failureOf(run(activitiesOver({ store }).save, { record, batch }));
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe("What the child's workflow derives from a failed save", () => {
  const failed = (cause: Error | undefined) =>
    new ActivityFailure('Activity task failed', 'save', 'r:0', 'MAXIMUM_ATTEMPTS_REACHED', 'worker', cause);

  test('is nothing that counts where no worker could decrypt what to save.', async () => {
    const codec = (id: string) =>
      new EncryptionCodec(new KeyRing([{ id, secret: Buffer.alloc(32, id).toString('base64') }]), 'default');
    const [encrypted] = await codec('new').encode([defaultPayloadConverter.toPayload(1)]);
    const error: unknown = await codec('old')
      .decode([encrypted ?? {}])
      .catch((thrown: unknown) => thrown);
    // As the SDK's worker does with what a codec throws.
    const failure = ApplicationFailure.fromError(error, { nonRetryable: false });
    expect(countedAttempts(failed(failure), 3)).toBe(0);
  });

  test('is the attempt that failed last, and its message.', async () => {
    const store = {
      ...createMemoryStore(),
      save: () => Promise.reject(new KeepapartError('record-rejected', 'Bad')),
    };
    const { save } = activitiesOver({ store });
    const failure = await failureOf(run(save, { record, batch }, newEnvironment(2)));
    expect(describeSaveFailure(failed(failure), 5)).toEqual({ attempts: 2, message: 'Bad' });
  });

  test.each<[string, Error | undefined, string]>([
    [
      'a time-out',
      new TimeoutFailure('late', undefined, 'START_TO_CLOSE'),
      'no answer in time (START_TO_CLOSE)',
    ],
    ['another failure', ApplicationFailure.create({ message: 'no such activity' }), 'no such activity'],
    ['any error', new Error('broken'), 'broken'],
    ['nothing', undefined, 'Activity task failed'],
  ])("is that all attempts were used if the failure doesn't say: %s.", (_, cause, message) => {
    expect(describeSaveFailure(failed(cause), 5)).toEqual({ attempts: 5, message });
  });

  test.each([
    ['while it ran', failed(new CancelledFailure('CANCELLED'))],
    ['before it was scheduled', new CancelledFailure('CANCELLED')],
  ])('G4: is an outcome of its own when it was cancelled %s.', (_, error) => {
    expect(describeSaveFailure(error, 5)).toEqual({
      attempts: 0,
      message: CANCELLED_SAVE.message,
    });
  });

  test('says that the store permanently rejected the record before the attempts were used up.', async () => {
    const store = createMemoryStore();
    store.beforeSave = () => {
      throw new KeepapartError('record-rejected', 'Bad');
    };
    const cause = await failureOf(run(activitiesOver({ store }).save, { record, batch }, newEnvironment(2)));
    const failure = new ActivityFailure('Failed', 'save', 'r:0', 'NON_RETRYABLE_FAILURE', 'worker', cause);
    expect(describeSaveFailure(failure, 5)).toEqual({
      attempts: 2,
      message: 'permanently rejected at attempt 2 of 5: Bad',
    });
  });

  test('is, for a rollback, whether it was permanently rejected; a bug is rethrown.', () => {
    const refused = (retryState: 'NON_RETRYABLE_FAILURE' | 'MAXIMUM_ATTEMPTS_REACHED') =>
      new ActivityFailure('Failed', 'rollback', '1', retryState, 'worker', new Error('no'));
    expect(describeUndoFailure(refused('NON_RETRYABLE_FAILURE'), 10)).toMatchObject({ refused: true });
    expect(describeUndoFailure(refused('MAXIMUM_ATTEMPTS_REACHED'), 10)).toEqual({
      attempts: 10,
      message: 'no',
      refused: false,
    });
    expect(() => describeUndoFailure(new TypeError('a bug'), 10)).toThrow('a bug');
  });

  test('is cut to a bounded length.', () => {
    const { message } = describeSaveFailure(failed(new Error('x'.repeat(10_000))), 5);
    expect(message).toBe('x'.repeat(500));
  });

  test('is nothing for a bug, which is rethrown.', () => {
    const bug = new TypeError('a bug');
    expect(() => describeSaveFailure(bug, 5)).toThrow(bug);
  });
});
