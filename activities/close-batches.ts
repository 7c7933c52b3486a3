import type { CloseBatchesInput, CloseBatchesResult } from '../src/contracts/activities';
import { MAX_ERROR_LENGTH } from '../src/domain/outcome';
import { unpackBatch, unpackOutcomes } from '../src/domain/packed-batch';
import { closeTogether, type RecordStore } from '../src/domain/record-store';
import { messageOf } from './failure';

/**
 * Closes batches side by side. One that can't be closed, as somebody's file stands in its place, holds up no other.
 * @throws what the first of them failed with, when none could be closed
 */
export async function closeBatches(
  store: RecordStore,
  { batches, format }: CloseBatchesInput,
): Promise<CloseBatchesResult> {
  const settled = batches.map(({ batchId, openedAtMs, records, outcomes }) => ({
    batch: { batchId, openedAtMs },
    records: unpackOutcomes(outcomes, unpackBatch(records)),
  }));
  const results = await closeTogether(store, settled, format);
  const [first] = results;
  if (first?.status === 'rejected' && results.every(({ status }) => status === 'rejected'))
    throw first.reason;
  return {
    batches: batches.map((_, i) => {
      const result = results[i] ?? { status: 'rejected', reason: new TypeError('the store told of too few') };
      return result.status === 'fulfilled'
        ? { location: result.value.location }
        : { failed: messageOf(result.reason).slice(0, MAX_ERROR_LENGTH) };
    }),
  };
}
