import { proxyActivities } from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  ROLLBACK_ATTEMPTS,
  type Activities,
  type RollbackResult,
} from '../../src/contracts/workflow/activities';
import type { ChildPolicy } from '../../src/contracts/workflow/child';
import { ON_FAILURE } from '../../src/contracts/workflow/settings';
import type { BatchRef } from '../../src/domain/records/batch';
import { OUTCOME, withFailedUndo, type RecordOutcome } from '../../src/domain/records/outcome';
import { packKept } from '../../src/domain/records/packed-batch';
import type { KeptRecord } from '../../src/domain/records/record';
import type { OpenBatch } from './child';
import { attemptsBesideHolds, describeUndoFailure } from './failures';

/** A batch of which every record has its outcome. */
export interface SettledBatch {
  batch: OpenBatch;
  /** In batch order. */
  outcomes: RecordOutcome[];
}

/** Records of one batch that end rolled back. */
interface RollingBack {
  batch: BatchRef;
  records: { place: number; record: KeptRecord; outcome: RecordOutcome }[];
}

/**
 * Undoes what these batches don't keep, by one activity for all of them: what ends rolled back, and with
 * `ON_FAILURE=rollback_batch` also the saved records beside it. Says so in their outcomes.
 */
export async function undo(
  settled: readonly SettledBatch[],
  { onFailure }: ChildPolicy,
): Promise<SettledBatch[]> {
  const kept = settled.map(({ batch, outcomes }) => ({
    batch,
    outcomes: onFailure === ON_FAILURE.rollbackBatch ? asOne(outcomes) : outcomes,
  }));
  const undoing = kept.flatMap(({ batch, outcomes }): RollingBack[] => {
    const records = batch.records.flatMap((record, place) => {
      const outcome = outcomes[place];
      return outcome?.outcome === OUTCOME.rolledBack ? [{ place, record, outcome }] : [];
    });
    return records.length > 0 ? [{ batch: batch.ref, records }] : [];
  });
  const results = await rollBack(undoing);
  const undone = new Map(
    undoing.map(({ batch, records }, i) => [
      batch,
      new Map(records.map(({ place }, j) => [place, results[i]?.[j]])),
    ]),
  );
  return kept.map(({ batch, outcomes }) => ({
    batch,
    outcomes: outcomes.map((outcome, place) => undone.get(batch.ref)?.get(place) ?? outcome),
  }));
}

/** Where one record of a batch was rolled back, those that were saved are as well. */
function asOne(outcomes: readonly RecordOutcome[]): RecordOutcome[] {
  const failed = outcomes.find(({ outcome }) => outcome === OUTCOME.rolledBack);
  if (failed === undefined) return [...outcomes];
  const error = `rolled back with its batch: ${failed.recordId} failed`;
  return outcomes.map((one) =>
    one.outcome === OUTCOME.saved ? { ...one, outcome: OUTCOME.rolledBack, error, atMs: Date.now() } : one,
  );
}

/**
 * Undoes what the saves of these records may have left, by one activity, and returns their outcomes, per batch: rolled
 * back in any case, as they don't count as saved, with the reason where undoing one failed for good.
 *
 * The pauses don't follow RETRY_INTERVAL_MS: that says how eagerly saving is to be tried, and a short one would give up
 * here after a moment's outage, with something left in the store.
 */
async function rollBack(batches: readonly RollingBack[]): Promise<RecordOutcome[][]> {
  const count = batches.reduce((sum, { records }) => sum + records.length, 0);
  const first = batches[0];
  if (first === undefined) return [];
  const { rollback } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.storeMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: {
      maximumAttempts: ROLLBACK_ATTEMPTS,
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '30s',
    },
    summary: count === 1 ? (first.records[0]?.record.recordId ?? '') : `${count} records`,
  });
  const input = {
    openedAtMs: first.batch.openedAtMs,
    batches: batches.map(({ batch, records }) => ({
      batchId: batch.batchId,
      records: packKept(records.map(({ record }) => record)),
    })),
  };
  let result: RollbackResult;
  try {
    result = await untilNotHeld(() => rollback(input));
  } catch (error) {
    // Without a result nobody knows which of them were undone.
    const failure = describeUndoFailure(error, ROLLBACK_ATTEMPTS);
    return batches.map(({ records }) => records.map(({ outcome }) => withFailedUndo(outcome, failure)));
  }
  const outcomes = batches.map(({ records }) => records.map(({ outcome }) => outcome));
  for (const [batch, record, index] of result.failed) {
    const failure = result.failures[index];
    const outcome = outcomes[batch]?.[record];
    if (failure !== undefined && outcome !== undefined)
      outcomes[batch]?.splice(record, 1, withFailedUndo(outcome, failure));
  }
  return outcomes;
}

/** Makes the call of an activity again that ended because the store was away. */
async function untilNotHeld<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (attemptsBesideHolds(error, ROLLBACK_ATTEMPTS) === undefined) throw error;
    }
  }
}
