import { KeepapartError } from '../domain/errors';
import {
  closeTogether,
  rollBackTogether,
  saveTogether,
  type RecordStore,
} from '../domain/records/record-store';

export interface FailureOptions {
  /** Share of `save` attempts that fail, 0 to 1: `SAVE_FAILURE_RATE`. */
  failureRate: number;
  /** Uniform in [0, 1). Default: `Math.random`. */
  random?: () => number;
}

/**
 * Wraps a store so that saves fail on purpose, for demonstrations and tests. Half of the failing attempts save the record
 * before they fail, as if the store's answer was lost, so that `rollback` has something to undo.
 * @throws `save-failed` from `save` (retried), besides the store's own errors
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
    save: async (record, batch, attempt) => {
      const { reachesStore, fails } = draw();
      if (reachesStore) await inner.save(record, batch, attempt);
      if (fails) throw failure();
    },
    // Only if the store has it, because a store that saves one by one has to be measured one by one.
    ...(inner.saveAll !== undefined && {
      saveAll: async (batches, attempt) => {
        const drawn = batches.map(({ records }) => records.map(draw));
        const reaching = batches.map(({ batch, records }, i) => ({
          batch,
          records: records.filter((_, j) => drawn[i]?.[j]?.reachesStore),
        }));
        const results = await saveTogether(
          inner,
          reaching.filter(({ records }) => records.length > 0),
          attempt,
        );
        return drawn.map((ofBatch, i) => {
          const own = reaching[i]?.records.length === 0 ? [] : [...(results.shift() ?? [])];
          return ofBatch.map(({ reachesStore, fails }): PromiseSettledResult<void> => {
            const result = reachesStore ? own.shift() : undefined;
            if (result?.status === 'rejected' || (result !== undefined && !fails)) return result;
            return { status: 'rejected', reason: failure() };
          });
        });
      },
    }),
    rollback: (record, batch) => inner.rollback(record, batch),
    rollbackAll: (batches) => rollBackTogether(inner, batches),
    closeBatch: (batch, records, format) => inner.closeBatch(batch, records, format),
    closeBatches: (batches, format) => closeTogether(inner, batches, format),
    readBatch: (batch) => inner.readBatch(batch),
    ...(inner.boundsItsCalls !== undefined && { boundsItsCalls: inner.boundsItsCalls }),
  };
}
