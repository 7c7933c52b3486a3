import { KeepapartError } from '../domain/errors';
import { isOfFailingExample } from '../domain/records/failing-example';
import type { KeptRecord } from '../domain/records/record';
import {
  closeTogether,
  rollBackTogether,
  saveTogether,
  type RecordStore,
} from '../domain/records/record-store';

export interface FailureOptions {
  /** Share of `save` attempts that fail, 0 to 1: `SAVE_FAILURE_RATE`. */
  failureRate: number;
  /** Share for records of the dashboard's failing example, see `isOfFailingExample`. Default 0. */
  exampleRate?: number;
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
  { failureRate, exampleRate = 0, random = Math.random }: FailureOptions,
): RecordStore {
  if (failureRate === 0 && exampleRate === 0) return inner;

  const rateOf = ({ recordId }: KeptRecord): number =>
    exampleRate > 0 && isOfFailingExample(recordId) ? exampleRate : failureRate;

  function draw(record: KeptRecord): { reachesStore: boolean; failure?: KeepapartError } {
    const rate = rateOf(record);
    if (rate === 0 || random() >= rate) return { reachesStore: true };
    const why =
      rate === failureRate ? `SAVE_FAILURE_RATE=${rate}` : `an example, ${rate * 100} % of its saves fail`;
    return {
      failure: new KeepapartError('save-failed', `failed on purpose (${why})`),
      reachesStore: random() < 0.5,
    };
  }

  return {
    save: async (record, batch, attempt) => {
      const { reachesStore, failure } = draw(record);
      if (reachesStore) await inner.save(record, batch, attempt);
      if (failure) throw failure;
    },
    // Only if the store has it, because a store that saves one by one has to be measured one by one.
    ...(inner.saveAll !== undefined && {
      saveAll: async (batches, attempt) => {
        // What all saves go through shouldn't cost anything where nothing is to fail.
        if (batches.every(({ records }) => records.every((record) => rateOf(record) === 0)))
          return saveTogether(inner, batches, attempt);
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
          return ofBatch.map(({ reachesStore, failure }): PromiseSettledResult<void> => {
            const result = reachesStore ? own.shift() : undefined;
            if (result?.status === 'rejected' || (result !== undefined && !failure)) return result;
            return { status: 'rejected', reason: failure };
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
