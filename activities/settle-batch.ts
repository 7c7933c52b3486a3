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
 * Settles a batch whose workflow closed without completing: the outcomes are those that the store has published, or
 * else every record is rolled back and that is published.
 *
 * Workers may still be in the middle of what the earlier run asked of them. Each of these is harmless, whenever it comes,
 * because a store publishes a batch once and refuses what comes after:
 * - a late `save` before the publishing: its record is told as rolled back, and publishing clears what it has left;
 *   after it: refused, leaving nothing; in between: it looks for the publishing after it has written, and withdraws
 * - a late `rollback`: removes what is rolled back here too; of what is published as saved it leaves everything alone
 * - a late `closeBatch` that publishes first: this one is refused (retried), and its next attempt reads those outcomes;
 *   that publishes second: it is refused, and nobody waits for it any more
 * - an earlier attempt of this activity: likewise, and its outcomes are these
 *
 * @throws what the store throws; the caller repeats it. After {@link ROLLBACK_ATTEMPTS} attempts a rollback that still
 *   fails no longer holds up the batch but is told in the outcome.
 */
export async function settleBatch(
  store: RecordStore,
  input: SettleBatchInput,
  attempt: number,
): Promise<SettleBatchResult> {
  const { batch, format } = input;
  const closed = await store.readBatch(batch);
  const records = closed?.records ?? (await rollBackAll(store, input, attempt));
  // Also when it is closed: who closed it may have died before that was durable, or before the clearing.
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
      // Here already, so that the file says the same as the result.
      return withShortErrors(failed, share);
    }
  });
  // None is left running behind the back of the next attempt.
  await Promise.allSettled(undoing);
  return Promise.all(undoing);
}

/** What a file in the text format doesn't tell. */
function completed(record: SettledRecord, { reason, atMs }: SettleBatchInput): SettledRecord {
  const { outcome, error = `why is not known: ${reason}` } = record;
  return {
    ...record,
    ...(outcome === OUTCOME.rolledBack && { error }),
    atMs: record.atMs === 0 ? atMs : record.atMs,
  };
}
