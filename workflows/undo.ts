import { proxyActivities } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, ROLLBACK_ATTEMPTS, type Activities } from '../src/contracts/activities';
import type { BatchRef } from '../src/domain/batch';
import { OUTCOME, withFailedUndo, type SettledRecord } from '../src/domain/outcome';
import { describeUndoFailure } from './save-failure';

/**
 * Undoes what the saves of a record may have left, and gives its outcome: rolled back in any case, as it doesn't count
 * as saved; if undoing it failed for good, saying so.
 *
 * The pauses don't follow RETRY_INTERVAL_MS: that says how eagerly saving is to be tried, and a short one would give up
 * here after a moment's outage, with something left in the store.
 */
export async function undo(record: Omit<SettledRecord, 'atMs'>, batch: BatchRef): Promise<SettledRecord> {
  const { rollback } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.closeMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: {
      maximumAttempts: ROLLBACK_ATTEMPTS,
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '30s',
    },
    summary: record.recordId,
  });
  const { recordId, value } = record;
  try {
    await rollback({ record: { recordId, value }, batch });
  } catch (error) {
    const failure = describeUndoFailure(error, ROLLBACK_ATTEMPTS);
    return withFailedUndo({ ...record, atMs: Date.now() }, failure);
  }
  return { ...record, atMs: Date.now() };
}

/** `ON_FAILURE=rollback_batch`: when one record of a batch was rolled back, those that were saved are as well. */
export async function undoBatch(records: SettledRecord[], batch: BatchRef): Promise<SettledRecord[]> {
  const failed = records.find(({ outcome }) => outcome === OUTCOME.rolledBack);
  if (failed === undefined) return records;
  const error = `rolled back with its batch: ${failed.recordId} failed`;
  return Promise.all(
    records.map(async (record) =>
      record.outcome === OUTCOME.rolledBack
        ? record
        : undo({ ...record, outcome: OUTCOME.rolledBack, error }, batch),
    ),
  );
}
