import {
  ROLLBACK_ATTEMPTS,
  type SettleBatchInput,
  type SettleBatchResult,
} from '../src/contracts/workflow/activities';
import {
  MAX_ERRORS_BYTES,
  OUTCOME,
  outcomeOf,
  withFailedUndo,
  withShortErrors,
  type SettledRecord,
} from '../src/domain/records/outcome';
import type { RecordStore } from '../src/domain/records/record-store';
import { isStoreAway } from '../src/domain/records/store-away';
import { isFinal, messageOf } from './failure';

/**
 * Settles a batch whose workflow closed without completing. Its outcomes are those that the store has published; without any,
 * every record is rolled back and that is published.
 *
 * Workers may still be executing activities of the earlier run. Each of these is harmless at any time, because a store
 * publishes a batch once and refuses anything later:
 * - A late `save` before publishing: its record is reported as rolled back, and publishing removes what it left. After
 *   publishing: it is refused and leaves nothing. In between: it checks for the published batch after it has written, and
 *   withdraws.
 * - A late `rollback` removes what is rolled back here too. It leaves alone what is published as saved.
 * - A late `closeBatch` that publishes first: this one is refused (and retried), and its next attempt reads those outcomes.
 *   One that publishes second is refused, and nobody waits for it any more.
 * - An earlier attempt of this activity: likewise, and the outcomes are the same.
 *
 * @throws what the store throws; the caller retries. After {@link ROLLBACK_ATTEMPTS} attempts, a rollback that still fails
 *   no longer delays the batch, but is reported in the outcome.
 */
export async function settleBatch(
  store: RecordStore,
  input: SettleBatchInput,
  attempt: number,
): Promise<SettleBatchResult> {
  const { batch, format } = input;
  const closed = await store.readBatch(batch);
  const records = closed?.records ?? (await rollBackAll(store, input, attempt));
  // Even if it is closed: whoever closed it may have died before that was durable, or before the cleanup.
  const { location } = await store.closeBatch(batch, records, format);
  const share = MAX_ERRORS_BYTES / records.length;
  return {
    location,
    outcomes: records.map((record) => withShortErrors(outcomeOf(completed(record, input)), share)),
  };
}

async function rollBackAll(
  store: RecordStore,
  { batch, reason, atMs }: SettleBatchInput,
  attempt: number,
): Promise<SettledRecord[]> {
  const share = MAX_ERRORS_BYTES / batch.records.length;
  const undoing = batch.records.map(async (record): Promise<SettledRecord> => {
    const outcome = { ...record, outcome: OUTCOME.rolledBack, attempts: 0, error: reason, atMs };
    try {
      await store.rollback(record, batch);
      return outcome;
    } catch (error) {
      const refused = isFinal(error);
      if (isStoreAway(error) || (!refused && attempt < ROLLBACK_ATTEMPTS)) throw error;
      const failed = withFailedUndo(outcome, { attempts: attempt, message: messageOf(error), refused });
      // Already here, so that the file matches the result.
      return withShortErrors(failed, share);
    }
  });
  // So that no call is still running when the next attempt starts.
  await Promise.allSettled(undoing);
  return Promise.all(undoing);
}

/** Adds what a file in the text format doesn't contain. */
function completed(record: SettledRecord, { reason, atMs }: SettleBatchInput): SettledRecord {
  const { outcome, error = `unknown, because ${reason}` } = record;
  return {
    ...record,
    ...(outcome === OUTCOME.rolledBack && { error }),
    atMs: record.atMs === 0 ? atMs : record.atMs,
  };
}
