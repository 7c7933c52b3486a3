import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../src/contracts/activities';
import type { BatchPolicy } from '../src/contracts/batch';
import type { BatchRef } from '../src/domain/batch';
import { OUTCOME, type SettledRecord } from '../src/domain/outcome';
import type { KeptRecord } from '../src/domain/record';
import type { AttemptsInStep } from './attempts-in-step';
import { describeSaveFailure } from './save-failure';
import { undo } from './undo';

/** What is in force for the saving in this workflow, and what its batches share. */
export interface Saving extends Pick<BatchPolicy, 'maxAttempts' | 'retryIntervalMs' | 'saveActivity'> {
  localAttempts: AttemptsInStep;
  /** The id under which a record is saved by an activity of the server's. */
  activityIdOf: (record: KeptRecord, batch: BatchRef) => string;
}

/**
 * By an activity of its own, which Temporal tries again.
 * @param firstAttempt which attempt of the record this begins with; those before it were local
 */
export async function saveByActivity(
  record: KeptRecord,
  batch: BatchRef,
  saving: Saving,
  firstAttempt = 1,
): Promise<SettledRecord> {
  const before = firstAttempt - 1;
  const { save } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.saveMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: {
      maximumAttempts: saving.maxAttempts - before,
      initialInterval: saving.retryIntervalMs,
      backoffCoefficient: 1,
    },
    // By which readers of pending activities, and people in the Web UI, tell the records of a batch.
    activityId: saving.activityIdOf(record, batch),
    summary: record.recordId,
  });
  try {
    const { attempt } = await save({ record, batch });
    return { ...record, outcome: OUTCOME.saved, attempts: before + attempt, atMs: Date.now() };
  } catch (failure) {
    const { attempts, message: error } = describeSaveFailure(failure, saving.maxAttempts, before);
    const rolledBack = { ...record, outcome: OUTCOME.rolledBack, attempts, error };
    return CancellationScope.nonCancellable(() => undo(rolledBack, batch));
  }
}
