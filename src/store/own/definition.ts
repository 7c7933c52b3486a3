import type { JsonValue } from '../../domain/json';
import type { KeptRecord } from '../../domain/records/record';
import type { RecordStore } from '../../domain/records/record-store';
import type { OptionsSchema } from './options';

/** What happened to one record in one call of `saveBatch`. */
export type SaveOutcome =
  /** Stored durably. */
  | 'saved'
  | { outcome: 'saved' }
  /** Not stored; another attempt may succeed, after `afterMs` milliseconds (default: RETRY_INTERVAL_MS). */
  | 'retry'
  | { outcome: 'retry'; reason?: string | undefined; afterMs?: number | undefined }
  /** Not stored, and it never will be: the record is rolled back without another attempt. */
  | 'rejected'
  | { outcome: 'rejected'; reason?: string | undefined };

/** The current call of `saveBatch` or `undo`. */
export interface StoreCall {
  /** The batch of the records. Ids start over with a new database of Temporal; `openedAtMs` distinguishes them. */
  batchId: string;
  /** When the batch was cut, in milliseconds since the epoch. */
  openedAtMs: number;
  /** Number of this attempt, from 1 to MAX_ATTEMPTS; always 1 for `undo`. */
  attempt: number;
  /** Aborted when nobody waits for the result: after STORE_TIMEOUT_MS, or if the batch is cancelled. Pass it on. */
  signal: AbortSignal;
}

/**
 * The simple form of a store: how to store the records of a batch, and how to undo that. keepapart does the rest: it stages
 * records, retries them, rolls them back and writes the batch files.
 */
export interface BatchSaver {
  /**
   * Stores records of one batch and returns an outcome for each, in the same order. It may be called again for records that
   * it has already stored (if a worker was killed before it noted the result), so it must be idempotent by `recordId`.
   *
   * The first call has all records of the batch, later ones those that are retried. With SAVE_ACTIVITY=record, where each
   * record is an activity of its own, a busy server may schedule the records of a batch so far apart that they come in
   * several calls.
   *
   * If it throws, the attempt has failed for all records of the call. Connection errors (`ECONNREFUSED` and similar, also as
   * a cause) and errors from {@link storeAway} are not failed attempts: keepapart waits for the store.
   */
  saveBatch(
    records: readonly KeptRecord[],
    call: StoreCall,
  ): readonly SaveOutcome[] | Promise<readonly SaveOutcome[]>;
  /**
   * Undoes what failed attempts to save these records may have left; it must accept records that were never stored. Called
   * before a record is reported as rolled back, and again if it throws. Without it, what a failed attempt left stays.
   */
  undo?(records: readonly KeptRecord[], call: StoreCall): void | Promise<void>;
  /** Releases what `open` acquired. Called once, when no other call is running. */
  close?(): void | Promise<void>;
}

/** The full form: the port itself, with `close`. The store then does everything, including batch files. */
export type FullStore = RecordStore & Pick<BatchSaver, 'close'>;

/** What `open` may use. */
export interface StoreContext {
  /** `DATA_DIR` and `OUT_DIR`. */
  dataDir: string;
  outDir: string;
}

/** What only the contract test uses (`keepapart store test`). */
export interface ForTesting {
  /** At least five values that the store can save; default `{"test":1}` to `{"test":5}`. */
  values?: readonly JsonValue[];
  /**
   * Which of these records are stored now, each as often as it is stored. Without it, the contract test only sees what the
   * store answers, and says so.
   */
  find?(recordIds: readonly string[]): readonly string[] | Promise<readonly string[]>;
}

/** A store that is opened with options, for example one that needs a connection. */
export interface OpenedStore<Options> {
  /** Validates STORE_OPTIONS: anything with a zod-like `parse`, or a Standard Schema. Without it, there are no options. */
  options?: OptionsSchema<Options>;
  /** Opens the store, once in each worker. If it throws, the worker doesn't start. */
  open(options: Options, context: StoreContext): OpenStore | Promise<OpenStore>;
}

/** The result of `open`, in either form; `testing` may be here or beside `open`. */
export type OpenStore = (BatchSaver | FullStore) & { testing?: ForTesting };

/** Your own store, in any of its forms. */
export type StoreDefinition<Options = unknown> = (BatchSaver | FullStore | OpenedStore<Options>) & {
  testing?: ForTesting;
};

/**
 * Defines your own store, with types. Export it as the default of a module; the setting STORE names the module.
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
