import { SAVE_RESULT, type SaveInstruments, type SaveResultKind } from '../contracts/instruments';
import { SECOND } from '../domain/duration';
import { ERRORS, RETRIED, isKeepapartError } from '../domain/errors';
import type { RecordStore } from '../domain/records/record-store';
import { isStoreAway } from '../domain/records/store-away';

/** From best to worst. */
const ORDER = [SAVE_RESULT.saved, SAVE_RESULT.failed, SAVE_RESULT.refused, SAVE_RESULT.away];

/** Wraps a store so that the duration and result of each save call are measured. */
export function measuredStore(store: RecordStore, instruments: SaveInstruments): RecordStore {
  async function measured<T>(call: () => Promise<T>, resultOf: (result: T) => SaveResultKind): Promise<T> {
    const begunAtMs = performance.now();
    const report = (result: SaveResultKind) =>
      instruments.saveEnded(result, (performance.now() - begunAtMs) / SECOND);
    try {
      const result = await call();
      report(resultOf(result));
      return result;
    } catch (error) {
      report(resultOfError(error));
      throw error;
    }
  }
  const { saveAll, rollbackAll, closeBatches } = store;
  return {
    ...(store.boundsItsCalls !== undefined && { boundsItsCalls: store.boundsItsCalls }),
    save: (record, batch, attempt) =>
      measured(
        () => store.save(record, batch, attempt),
        () => SAVE_RESULT.saved,
      ),
    rollback: (record, batch) => store.rollback(record, batch),
    closeBatch: (batch, records, format) => store.closeBatch(batch, records, format),
    readBatch: (batch) => store.readBatch(batch),
    ...(saveAll !== undefined && {
      saveAll: (batches, attempt) => measured(() => saveAll.call(store, batches, attempt), worstOf),
    }),
    ...(rollbackAll !== undefined && { rollbackAll: (batches) => rollbackAll.call(store, batches) }),
    ...(closeBatches !== undefined && {
      closeBatches: (batches, format) => closeBatches.call(store, batches, format),
    }),
  };
}

function resultOfError(error: unknown): SaveResultKind {
  if (isStoreAway(error)) return SAVE_RESULT.away;
  const isFinal = isKeepapartError(error) && ERRORS[error.code].retried === RETRIED.never;
  return isFinal ? SAVE_RESULT.refused : SAVE_RESULT.failed;
}

function worstOf(results: readonly (readonly PromiseSettledResult<void>[])[]): SaveResultKind {
  const kinds = results
    .flat()
    .map((result) => (result.status === 'fulfilled' ? SAVE_RESULT.saved : resultOfError(result.reason)));
  return ORDER.findLast((kind) => kinds.includes(kind)) ?? SAVE_RESULT.saved;
}
