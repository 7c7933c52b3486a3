import { proxyActivities } from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  ROLLBACK_ATTEMPTS,
  type Activities,
  type RollbackResult,
} from '../../src/contracts/workflow/activities';
import type { ChildPolicy } from '../../src/contracts/workflow/child';
import { ON_FAILURE } from '../../src/contracts/workflow/settings';
import { counted } from '../../src/domain/format';
import type { BatchRef } from '../../src/domain/records/batch';
import { OUTCOME, withFailedUndo, type RecordOutcome } from '../../src/domain/records/outcome';
import { packKept } from '../../src/domain/records/packed-batch';
import type { KeptRecord } from '../../src/domain/records/record';
import { countedAttempts, describeUndoFailure } from './failures';
import { tryInThisTask } from './in-this-task';
import type { SettledBatch } from './open-batch';

/** The records of a batch to roll back. */
interface RollingBack {
  batch: BatchRef;
  records: { place: number; record: KeptRecord; outcome: RecordOutcome }[];
}

/**
 * Rolls back the records of these batches that were not saved, with one activity for all; with
 * `ON_FAILURE=rollback_batch` also the saved records of a batch with any such record. Returns the batches with updated
 * outcomes.
 * @param isQuick whether the store has just been quick: then the first attempt is made within the current workflow task
 */
export async function undo(
  settled: readonly SettledBatch[],
  { onFailure }: ChildPolicy,
  isQuick: boolean,
): Promise<SettledBatch[]> {
  const kept = settled.map(({ batch, outcomes }) => ({
    batch,
    outcomes: onFailure === ON_FAILURE.rollbackBatch ? allOrNothing(outcomes) : outcomes,
  }));
  const undoing = kept.flatMap(({ batch, outcomes }): RollingBack[] => {
    const records = batch.records.flatMap((record, place) => {
      const outcome = outcomes[place];
      return outcome?.outcome === OUTCOME.rolledBack ? [{ place, record, outcome }] : [];
    });
    return records.length > 0 ? [{ batch: batch.ref, records }] : [];
  });
  const results = await rollBack(undoing, isQuick);
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

/** If any record of a batch is rolled back, all are. */
function allOrNothing(outcomes: readonly RecordOutcome[]): RecordOutcome[] {
  const failed = outcomes.find(({ outcome }) => outcome === OUTCOME.rolledBack);
  if (failed === undefined) return [...outcomes];
  const error = `rolled back with its batch: ${failed.recordId} failed`;
  return outcomes.map((one) =>
    one.outcome === OUTCOME.saved ? { ...one, outcome: OUTCOME.rolledBack, error, atMs: Date.now() } : one,
  );
}

/**
 * Rolls records back with one activity, and returns their outcomes per batch: `rolled_back`, with an error if the rollback
 * failed permanently.
 *
 * The retry intervals are independent of RETRY_INTERVAL_MS, which is for saves: with a short one, rollbacks would fail
 * permanently after a brief outage, and leave something in the store.
 */
async function rollBack(batches: readonly RollingBack[], isQuick: boolean): Promise<RecordOutcome[][]> {
  const count = batches.reduce((sum, { records }) => sum + records.length, 0);
  const first = batches[0];
  if (first === undefined) return [];
  const summary =
    count === 1
      ? (first.records[0]?.record.recordId ?? '')
      : `${counted(count, 'record')} of ${counted(batches.length, 'batch')}`;
  const input = {
    openedAtMs: first.batch.openedAtMs,
    batches: batches.map(({ batch, records }) => ({
      batchId: batch.batchId,
      records: packKept(records.map(({ record }) => record)),
    })),
  };
  let result: RollbackResult | undefined;
  if (isQuick) result = await tryInThisTask(summary, ({ rollback }) => rollback({ ...input, before: 0 }));
  const before = isQuick ? 1 : 0;
  const maximumAttempts = ROLLBACK_ATTEMPTS - before;
  const { rollback } = proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.storeMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: {
      maximumAttempts,
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '30s',
    },
    summary,
  });
  try {
    result ??= await whileStoreIsAway(maximumAttempts, () => rollback({ ...input, before }));
  } catch (error) {
    // Without a result it is unknown which records were rolled back.
    const failure = describeUndoFailure(error, maximumAttempts, before);
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

/** Repeats an activity with this limit of attempts for as long as it ends because the store is unavailable. */
async function whileStoreIsAway<T>(attempts: number, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (countedAttempts(error, attempts) === undefined) throw error;
    }
  }
}
