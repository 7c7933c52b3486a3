import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../src/contracts/activities';
import type { BatchInput } from '../src/contracts/batch';
import { SAVE_ACTIVITY } from '../src/contracts/settings';
import type { BatchRef } from '../src/domain/batch';
import { OUTCOME, type SettledRecord } from '../src/domain/outcome';
import type { KeptRecord } from '../src/domain/record';
import { saveEachLocally, saveTogetherLocally } from './saving-locally';
import { describeSaveFailure } from './save-failure';
import { undo } from './undo';

/** What is in force for the saving of a batch. */
export type Saving = Pick<BatchInput, 'maxAttempts' | 'retryIntervalMs' | 'saveActivity'>;

/** Brings the records of a batch to their outcomes. Never throws for a record that can't be saved (G9). */
export async function settleRecords(
  records: readonly KeptRecord[],
  batch: BatchRef,
  saving: Saving,
): Promise<SettledRecord[]> {
  if (saving.saveActivity === SAVE_ACTIVITY.local) return saveEachLocally(records, batch, saving);
  if (saving.saveActivity === SAVE_ACTIVITY.batch) return saveTogetherLocally(records, batch, saving);
  return Promise.all(records.map((record) => settle(record, batch, saving)));
}

/** By an activity of its own, which Temporal tries again. */
async function settle(record: KeptRecord, batch: BatchRef, saving: Saving): Promise<SettledRecord> {
  const { save } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.saveMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: {
      maximumAttempts: saving.maxAttempts,
      initialInterval: saving.retryIntervalMs,
      backoffCoefficient: 1,
    },
    // By which readers of pending activities, and people in the Web UI, tell the records of a batch.
    activityId: record.recordId,
    summary: record.recordId,
  });
  try {
    const { attempt } = await save({ record, batch });
    return { ...record, outcome: OUTCOME.saved, attempts: attempt, atMs: Date.now() };
  } catch (failure) {
    const { attempts, message: error } = describeSaveFailure(failure, saving.maxAttempts);
    const rolledBack = { ...record, outcome: OUTCOME.rolledBack, attempts, error };
    return CancellationScope.nonCancellable(() => undo(rolledBack, batch));
  }
}
