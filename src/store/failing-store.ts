import { KeepapartError } from '../domain/errors';
import type { RecordStore } from '../domain/record-store';

export interface FailureOptions {
  /** Share of `save` attempts that fail, 0 to 1: `SAVE_FAILURE_RATE`. */
  failureRate: number;
  /** Uniform in [0, 1). Default: `Math.random`. */
  random?: () => number;
}

/**
 * A store that fails on purpose, around any other: for demonstrations and tests. Half of the failing attempts save the
 * record first and fail after it, as a store does whose answer is lost, so that `rollback` has something to undo.
 * @throws `save-failed` from `save` (retried), besides what the store itself throws
 */
export function createFailingStore(
  inner: RecordStore,
  { failureRate, random = Math.random }: FailureOptions,
): RecordStore {
  if (failureRate === 0) return inner;
  return {
    save: async (record, batch) => {
      if (random() >= failureRate) return inner.save(record, batch);
      if (random() < 0.5) await inner.save(record, batch);
      throw new KeepapartError('save-failed', `failed on purpose (SAVE_FAILURE_RATE=${failureRate})`);
    },
    rollback: (record, batch) => inner.rollback(record, batch),
    closeBatch: (batch, records, format) => inner.closeBatch(batch, records, format),
    readBatch: (batch) => inner.readBatch(batch),
  };
}
