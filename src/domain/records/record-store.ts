import type { Batch, BatchRef } from './batch';
import type { OutcomeFormat, SettledRecord } from './outcome';
import type { KeptRecord } from './record';

/**
 * The port that every record store implements. Activities use a store only through it.
 *
 * Any call may be repeated at any time, also by a worker that was presumed dead and comes back late. A repeated call has
 * no further effect, and no call changes a closed batch (G4, G10).
 *
 * Errors that are not retried: `record-rejected` if a record can never be saved, `batch-already-closed` if a save arrives
 * after its batch was closed, `batch-rejected` if a batch can never be closed; its records are then rolled back. Temporal
 * retries any other error, after its `retryAfterMs` if it has one.
 */
export interface RecordStore {
  /**
   * Stores one record durably, idempotent by `recordId`. Once it has resolved, a power cut doesn't lose the record.
   * @param attempt for stores that want it
   */
  save(record: KeptRecord, batch: BatchRef, attempt?: SaveAttempt): Promise<void>;
  /**
   * Removes what a failed `save` may have left of a record; resolves if there is nothing. Doesn't touch records that a
   * closed batch published as saved. If it fails permanently, `closeBatch` still removes what it can.
   */
  rollback(record: KeptRecord, batch: BatchRef): Promise<void>;
  /**
   * Publishes a batch with its outcomes, completely or not at all (G10). Of calls with different outcomes (from a
   * terminated child and from the run that settles its batches), one wins and the others fail with
   * `batch-file-conflict`.
   */
  closeBatch(batch: BatchRef, records: readonly SettledRecord[], format: OutcomeFormat): Promise<ClosedBatch>;
  /** The published outcomes of a closed batch, in batch order; `undefined` if the batch isn't closed. */
  readBatch(batch: BatchRef & Pick<Batch, 'records'>): Promise<ReadBatch | undefined>;
  /**
   * `save` for records of several batches; for stores that are faster in bulk. Returns the result of each record, per
   * batch and in the order given. Optional: call {@link saveTogether} instead.
   */
  saveAll?(
    batches: readonly RecordsOfBatch[],
    attempt?: SaveAttempt,
  ): Promise<PromiseSettledResult<void>[][]>;
  /** `rollback` for records of several batches. Optional: call {@link rollBackTogether} instead. */
  rollbackAll?(batches: readonly RecordsOfBatch[]): Promise<PromiseSettledResult<void>[][]>;
  /** `closeBatch` for several batches. Optional: call {@link closeTogether} instead. */
  closeBatches?(
    batches: readonly SettledBatch[],
    format: OutcomeFormat,
  ): Promise<PromiseSettledResult<ClosedBatch>[]>;
  /**
   * Whether the store itself limits the duration and number of concurrent calls, so that a call may wait for others
   * without a timeout. Default: false; a call that takes five minutes then counts as a failed attempt.
   */
  readonly boundsItsCalls?: boolean;
}

/** The attempt that a `save` call belongs to. */
export interface SaveAttempt {
  /** From 1. Attempts that ended because the store was unavailable don't count. */
  number: number;
  /** False if an earlier attempt with an unknown result may have saved these records. */
  isFirst: boolean;
  /** Aborted when the result is no longer needed. */
  signal: AbortSignal;
}

/** All or some records of one batch. */
export interface RecordsOfBatch {
  batch: BatchRef;
  records: readonly KeptRecord[];
}

/** Saves records concurrently, with the store's `saveAll` if it has one. Never rejects: each record has its own result. */
export async function saveTogether(
  store: RecordStore,
  batches: readonly RecordsOfBatch[],
  attempt?: SaveAttempt,
): Promise<PromiseSettledResult<void>[][]> {
  if (store.saveAll !== undefined) return together(() => store.saveAll?.(batches, attempt), batches);
  return eachSettled(batches, (record, batch) => store.save(record, batch, attempt));
}

/**
 * Rolls records back concurrently, with the store's `rollbackAll` if it has one. Never rejects: each record has its own
 * result.
 * @param rollback rolls back one record; default: the store's `rollback`
 */
export async function rollBackTogether(
  store: RecordStore,
  batches: readonly RecordsOfBatch[],
  rollback: RecordStore['rollback'] = (record, batch) => store.rollback(record, batch),
): Promise<PromiseSettledResult<void>[][]> {
  if (store.rollbackAll !== undefined) return together(() => store.rollbackAll?.(batches), batches);
  return eachSettled(batches, rollback);
}

/**
 * Closes batches concurrently, with the store's `closeBatches` if it has one. One that fails doesn't keep others from
 * closing: each has its own result.
 */
export async function closeTogether(
  store: RecordStore,
  batches: readonly SettledBatch[],
  format: OutcomeFormat,
): Promise<PromiseSettledResult<ClosedBatch>[]> {
  if (store.closeBatches !== undefined) return store.closeBatches(batches, format);
  return Promise.allSettled(batches.map(({ batch, records }) => store.closeBatch(batch, records, format)));
}

/** If the call rejects, each record is rejected with its reason. */
async function together(
  call: () => Promise<PromiseSettledResult<void>[][]> | undefined,
  batches: readonly RecordsOfBatch[],
): Promise<PromiseSettledResult<void>[][]> {
  try {
    return (await call()) ?? [];
  } catch (reason) {
    return batches.map(({ records }) => records.map(() => ({ status: 'rejected', reason })));
  }
}

function eachSettled(
  batches: readonly RecordsOfBatch[],
  call: (record: KeptRecord, batch: BatchRef) => Promise<void>,
): Promise<PromiseSettledResult<void>[][]> {
  return Promise.all(
    batches.map(({ batch, records }) => Promise.allSettled(records.map((record) => call(record, batch)))),
  );
}

/** A batch to close, with the outcomes of its records. */
export interface SettledBatch {
  batch: BatchRef;
  records: readonly SettledRecord[];
}

/** A closed batch as the store knows it. If it doesn't keep attempts, error and time: 0 attempts, no error, `atMs` 0. */
export interface ReadBatch extends ClosedBatch {
  records: SettledRecord[];
}

export interface ClosedBatch {
  /** Where to read the outcomes: for the file store, the name of the file in `OUT_DIR`. */
  location: string;
}
