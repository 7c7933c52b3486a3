import type { JsonValue } from '../../domain/json';
import type { KeptRecord } from '../../domain/records/record';
import type { RecordStore } from '../../domain/records/record-store';
import type { OptionsSchema } from './options';

/** What became of one record in one call of `saveBatch`. */
export type SaveOutcome =
  /** It is stored durably. */
  | 'saved'
  | { outcome: 'saved' }
  /** It isn't, and another attempt may succeed: after `afterMs` milliseconds, or else after RETRY_INTERVAL_MS. */
  | 'retry'
  | { outcome: 'retry'; reason?: string | undefined; afterMs?: number | undefined }
  /** It isn't and never will be: it is rolled back without another attempt. */
  | 'rejected'
  | { outcome: 'rejected'; reason?: string | undefined };

/** The call of `saveBatch` or `undo` that is being made. */
export interface StoreCall {
  /** The batch that the records belong to. Ids start over with a new database of Temporal; `openedAtMs` tells them apart. */
  batchId: string;
  /** When the batch was cut, in milliseconds since the epoch. */
  openedAtMs: number;
  /** The number of this attempt, from 1 to MAX_ATTEMPTS; for `undo` 1. */
  attempt: number;
  /** Aborted when nobody waits for the result any more: after STORE_TIMEOUT_MS, or when the batch is cancelled. Pass it on. */
  signal: AbortSignal;
}

/**
 * The simple form of a store: what stores the records of a batch, and what undoes that. keepapart stages the records,
 * tries them again, rolls them back and writes the batch files around it.
 */
export interface BatchSaver {
  /**
   * Stores records of one batch and returns an outcome for each, in the same order. It may be called again for records
   * that it has stored already (a worker was killed before it had noted the answer), so it has to be idempotent by
   * `recordId`.
   *
   * It is called with what is due of the batch: at first all of it, then what is to be tried again. With
   * SAVE_ACTIVITY=record, where each record is an activity of its own, a busy server may hand out the records of a batch
   * so far apart that they come in several calls.
   *
   * What it throws is an attempt that failed, for all records of the call. Connection errors (`ECONNREFUSED` and the like,
   * also as a cause) and what {@link storeAway} makes are no failed attempt: the store is waited for.
   */
  saveBatch(
    records: readonly KeptRecord[],
    call: StoreCall,
  ): readonly SaveOutcome[] | Promise<readonly SaveOutcome[]>;
  /**
   * Undoes what failed attempts to save these records may have left; nothing to undo is fine. Called before a record is
   * reported as rolled back, again when it throws. Without it, what a failed attempt has left stays.
   */
  undo?(records: readonly KeptRecord[], call: StoreCall): void | Promise<void>;
  /** Releases what `open` has taken. Called once, when no call runs any more. */
  close?(): void | Promise<void>;
}

/** The full form: the port itself, with `close`. Everything is then the store's own, batch files included. */
export type FullStore = RecordStore & Pick<BatchSaver, 'close'>;

/** What a store may use that is opened. */
export interface StoreContext {
  /** `DATA_DIR` and `OUT_DIR`. */
  dataDir: string;
  outDir: string;
}

/** What only the contract test uses (`keepapart store test`). */
export interface ForTesting {
  /** Values that the store can save, at least five; the default is `{"test":1}` to `{"test":5}`. */
  values?: readonly JsonValue[];
  /**
   * Which of these records are stored now, each as often as it is. Without it the contract test sees only what the store
   * answers, and says so.
   */
  find?(recordIds: readonly string[]): readonly string[] | Promise<readonly string[]>;
}

/** A store that is opened with options, as connections are. */
export interface OpenedStore<Options> {
  /** What STORE_OPTIONS has to be: anything with a zod-like `parse`, or a Standard Schema. Without it there are no options. */
  options?: OptionsSchema<Options>;
  /** Opens the store, once in each worker. What it throws ends the start. */
  open(options: Options, context: StoreContext): OpenStore | Promise<OpenStore>;
}

/** What `open` gives: either form; `testing` may stand here or beside `open`. */
export type OpenStore = (BatchSaver | FullStore) & { testing?: ForTesting };

/** A store of one's own, in any of its forms. */
export type StoreDefinition<Options = unknown> = (BatchSaver | FullStore | OpenedStore<Options>) & {
  testing?: ForTesting;
};

/**
 * Types a store of one's own, which a module exports by default; STORE names the module.
 * @example
 * export default defineStore({
 *   async saveBatch(records, { signal }) {
 *     await table.upsert(records.map(({ recordId, value }) => ({ id: recordId, ...value })), { signal });
 *     return records.map(() => 'saved');
 *   },
 *   async undo(records) {
 *     await table.delete(records.map(({ recordId }) => recordId));
 *   },
 * });
 */
export function defineStore<Options = undefined>(
  definition: StoreDefinition<Options>,
): StoreDefinition<Options> {
  return definition;
}
