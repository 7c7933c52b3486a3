import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../../src/contracts/activities';
import type { ChildPolicy } from '../../src/contracts/child';
import type { BatchRef } from '../../src/domain/batch';
import { OUTCOME, type RecordOutcome } from '../../src/domain/outcome';
import type { KeptRecord } from '../../src/domain/record';
import type { OpenBatch } from './child';
import type { Closing } from './closing';
import { describeSaveFailure } from './failures';
import { rollBack, withWholeBatches } from './rolling-back';

/** What saving found out about the store. */
export interface SaveTimes {
  /** How long the fastest save took, in milliseconds; undefined where none is known. */
  fastestMs: number | undefined;
}

/** Saves each record by an activity of its own, which Temporal tries again, and closes each batch when it is through. */
export async function saveRecordByRecord(
  batches: readonly OpenBatch[],
  policy: ChildPolicy,
  closing: Closing,
): Promise<SaveTimes> {
  const times: number[] = [];
  const saving = batches.map(async (batch) => {
    const outcomes = await Promise.all(
      batch.records.map((record) => saveRecord(record, batch.ref, policy, times)),
    );
    await CancellationScope.nonCancellable(async () => {
      const [settled] = await withWholeBatches([{ batch, outcomes }], policy);
      if (settled !== undefined) await closing.close([settled]);
    });
  });
  await Promise.all(saving);
  return { fastestMs: times.length === 0 ? undefined : Math.min(...times) };
}

async function saveRecord(
  record: KeptRecord,
  batch: BatchRef,
  { maxAttempts, retryIntervalMs }: ChildPolicy,
  times: number[],
): Promise<RecordOutcome> {
  const { recordId } = record;
  const { save } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.saveMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: { maximumAttempts: maxAttempts, initialInterval: retryIntervalMs, backoffCoefficient: 1 },
    // By which readers of pending activities, and people in the Web UI, tell the records of a batch.
    activityId: recordId,
    summary: recordId,
  });
  try {
    const { attempt, tookMs } = await save({ record, batch });
    times.push(tookMs);
    return { recordId, outcome: OUTCOME.saved, attempts: attempt, atMs: Date.now() };
  } catch (failure) {
    const { attempts, message: error } = describeSaveFailure(failure, maxAttempts);
    const outcome: RecordOutcome = {
      recordId,
      outcome: OUTCOME.rolledBack,
      attempts,
      error,
      atMs: Date.now(),
    };
    const [undone] = await CancellationScope.nonCancellable(() =>
      rollBack([{ batch, records: [{ record, outcome }] }]),
    );
    return undone?.[0] ?? outcome;
  }
}
