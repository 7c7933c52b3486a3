/** `keepapart/store`: for writing a store of your own. See `docs/STORES.md`. */
import { KeepapartError } from '../domain/errors';

export { defineStore } from './own/definition';
export type {
  BatchSaver,
  ForTesting,
  FullStore,
  OpenedStore,
  OpenStore,
  SaveOutcome,
  StoreCall,
  StoreContext,
  StoreDefinition,
} from './own/definition';
export type { OptionsSchema, StandardSchema } from './own/options';
export type { Batch, BatchRef } from '../domain/records/batch';
export { isKeepapartError, KeepapartError, type ErrorCode } from '../domain/errors';
export type { JsonValue } from '../domain/json';
export { batchFileName, OUTCOME, outcomeFileContent } from '../domain/records/outcome';
export type { Outcome, OutcomeFormat, SettledRecord } from '../domain/records/outcome';
export type { KeptRecord } from '../domain/records/record';
export type {
  ClosedBatch,
  ReadBatch,
  RecordsOfBatch,
  RecordStore,
  SaveAttempt,
  SettledBatch,
} from '../domain/records/record-store';

/**
 * Creates an error which says that the store as a whole is unavailable, regardless of the records. If `saveBatch` or `undo`
 * throws it, keepapart waits for the store, and no attempt is used up.
 * @param options `retryAfterMs`: pause before the next call, in milliseconds; default 1 s, 2 s, … 30 s
 * @example
 * if (response.status === 503) throw storeAway('the warehouse is closed for inventory', { retryAfterMs: 60_000 });
 */
export function storeAway(
  reason: string,
  options: { retryAfterMs?: number; cause?: unknown } = {},
): KeepapartError {
  return new KeepapartError('store-away', reason, options);
}
