import { KeepapartError } from '../domain/errors';
import { closeTogether, saveTogether, type RecordStore } from '../domain/record-store';

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

  function draw(): { reachesStore: boolean; fails: boolean } {
    const fails = random() < failureRate;
    return { fails, reachesStore: !fails || random() < 0.5 };
  }
  const failure = (): KeepapartError =>
    new KeepapartError('save-failed', `failed on purpose (SAVE_FAILURE_RATE=${failureRate})`);

  return {
    save: async (record, batch) => {
      const { reachesStore, fails } = draw();
      if (reachesStore) await inner.save(record, batch);
      if (fails) throw failure();
    },
    saveAll: async (records, batch) => {
      const drawn = records.map(draw);
      const reaching = records.filter((_, i) => drawn[i]?.reachesStore);
      const results = reaching.length === 0 ? [] : await saveTogether(inner, reaching, batch);
      return drawn.map(({ reachesStore, fails }) => {
        const result = reachesStore ? results.shift() : undefined;
        if (result?.status === 'rejected' || (result !== undefined && !fails)) return result;
        return { status: 'rejected', reason: failure() };
      });
    },
    rollback: (record, batch) => inner.rollback(record, batch),
    closeBatch: (batch, records, format) => inner.closeBatch(batch, records, format),
    closeBatches: (batches, format) => closeTogether(inner, batches, format),
    readBatch: (batch) => inner.readBatch(batch),
  };
}
