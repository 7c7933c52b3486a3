/** `keepapart/store`: what a store of one's own is written with. */
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
 * An error that says that the store as a whole can't work, whatever the records: thrown by `saveBatch` or `undo`, the
 * store is waited for and no attempt is used up.
 * @param retryAfterMs how long the store wants to be left alone, in milliseconds; by default 1 s, 2 s, … 30 s
 */
export function storeAway(
  reason: string,
  options: { retryAfterMs?: number; cause?: unknown } = {},
): KeepapartError {
  return new KeepapartError('store-away', reason, options);
}
