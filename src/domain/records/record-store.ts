import type { Batch, BatchRef } from './batch';
import type { OutcomeFormat, SettledRecord } from './outcome';
import type { KeptRecord } from './record';

/**
 * Where records end up. The port that every store implements; workflow and activities know nothing else of it.
 *
 * Every call may be repeated at any time, also by a worker that was taken for dead and comes back late: a repeated call
 * has no further effect, and nothing changes a batch that is closed (G4, G10).
 * A store throws `record-rejected` for what can never succeed, `batch-already-closed` at a save that comes after its
 * batch was closed, and `batch-rejected` at a closing that can never succeed, upon which all of it is
 * rolled back; none is retried. Any other error is, by Temporal, after its `retryAfterMs` if it
 * has one.
 */
export interface RecordStore {
  /**
   * Stores one record durably, idempotent by `recordId`. When it returns, a power cut doesn't lose the record.
   * @param attempt what is known of the attempt; a store may do without
   */
  save(record: KeptRecord, batch: BatchRef, attempt?: SaveAttempt): Promise<void>;
  /**
   * Undoes what an exhausted `save` may have left behind; nothing to undo is fine. Leaves alone what a closed batch has
   * published as saved. When it fails for good, `closeBatch` still clears what it can.
   */
  rollback(record: KeptRecord, batch: BatchRef): Promise<void>;
  /**
   * Makes the batch and its outcomes visible, at once or not at all (G10). Of calls with different outcomes, as those of
   * a terminated batch and of the run that settles it, one wins and the others fail with `batch-file-conflict`.
   */
  closeBatch(batch: BatchRef, records: readonly SettledRecord[], format: OutcomeFormat): Promise<ClosedBatch>;
  /** What a closed batch says of its records, in batch order; `undefined` while the batch isn't closed. */
  readBatch(batch: BatchRef & Pick<Batch, 'records'>): Promise<ReadBatch | undefined>;
  /**
   * `save` for the records of several batches, where a store does that faster together. Per batch, in batch order, what
   * became of each record. Call it by {@link saveTogether}: a store may do without.
   */
  saveAll?(
    batches: readonly RecordsOfBatch[],
    attempt?: SaveAttempt,
  ): Promise<PromiseSettledResult<void>[][]>;
  /** `rollback` for records of several batches, likewise; call it by {@link rollBackTogether}. */
  rollbackAll?(batches: readonly RecordsOfBatch[]): Promise<PromiseSettledResult<void>[][]>;
  /** `closeBatch` for several batches, likewise; call it by {@link closeTogether}. */
  closeBatches?(
    batches: readonly SettledBatch[],
    format: OutcomeFormat,
  ): Promise<PromiseSettledResult<ClosedBatch>[]>;
  /**
   * Whether the store itself bounds how long each of its calls takes, and how many run at once: then the time that calls
   * wait for each other is nobody's failure. Otherwise a call that takes five minutes is an attempt that failed.
   */
  readonly boundsItsCalls?: boolean;
}

/** What a store may know of the attempt in which it saves. */
export interface SaveAttempt {
  /** From 1, without attempts that ended while the store was away. */
  number: number;
  /** False when these records may have been saved already, in an attempt whose end nobody learned of. */
  isFirst: boolean;
  /** Aborted when nobody waits for the result any more. */
  signal: AbortSignal;
}

/** Records of one batch: all of them, or some. */
export interface RecordsOfBatch {
  batch: BatchRef;
  records: readonly KeptRecord[];
}

/**
 * Saves records side by side, by the store's own way if it has one.
 */
export async function saveTogether(
  store: RecordStore,
  batches: readonly RecordsOfBatch[],
  attempt?: SaveAttempt,
): Promise<PromiseSettledResult<void>[][]> {
  if (store.saveAll !== undefined) return together(() => store.saveAll?.(batches, attempt), batches);
  return eachSettled(batches, (record, batch) => store.save(record, batch, attempt));
}

/**
 * Rolls records back side by side, by the store's own way if it has one.
 * @param rollback how a record is rolled back by itself
 */
export async function rollBackTogether(
  store: RecordStore,
  batches: readonly RecordsOfBatch[],
  rollback: RecordStore['rollback'] = (record, batch) => store.rollback(record, batch),
): Promise<PromiseSettledResult<void>[][]> {
  if (store.rollbackAll !== undefined) return together(() => store.rollbackAll?.(batches), batches);
  return eachSettled(batches, rollback);
}

/** Closes batches side by side, by the store's own way if it has one; none waits for another to succeed. */
export async function closeTogether(
  store: RecordStore,
  batches: readonly SettledBatch[],
  format: OutcomeFormat,
): Promise<PromiseSettledResult<ClosedBatch>[]> {
  if (store.closeBatches !== undefined) return store.closeBatches(batches, format);
  return Promise.allSettled(batches.map(({ batch, records }) => store.closeBatch(batch, records, format)));
}

/** What the call of a store rejects with goes for every record. */
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

/** A batch that is to be closed with these outcomes. */
export interface SettledBatch {
  batch: BatchRef;
  records: readonly SettledRecord[];
}

/** A closed batch as the store has it. What the store doesn't keep is unknown: 0 attempts, no error, `atMs` 0. */
export interface ReadBatch extends ClosedBatch {
  records: SettledRecord[];
}

export interface ClosedBatch {
  /** Where the outcomes can be read: for the file store the file's name inside `OUT_DIR`. */
  location: string;
}
