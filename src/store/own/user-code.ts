import { createSlots } from '../../concurrency/slots';
import type { BatchRef } from '../../domain/records/batch';
import { isKeepapartError, KeepapartError } from '../../domain/errors';
import { isStoreAway } from '../../domain/records/store-away';
import type { StoreCall } from './definition';

export interface UserCodeOptions {
  /** Maximum time for one call: STORE_TIMEOUT_MS. */
  timeoutMs: number;
  /** Maximum concurrent calls: STORE_CALLS. */
  callsAtOnce: number;
  /** Receives what was thrown, for the worker's log, unless the store is unavailable or refuses records. */
  onError: (error: unknown, call: CallOfUserCode) => void;
}

/** A call, for messages. */
export interface CallOfUserCode {
  name: 'saveBatch' | 'undo';
  batchId: string;
}

export interface UserCall {
  name: CallOfUserCode['name'];
  batch: BatchRef;
  attempt: number;
  /** Aborted when nobody waits for the result any more. */
  signal: AbortSignal | undefined;
}

/** Code of errors that have none. */
const FALLBACK = { saveBatch: 'save-failed', undo: 'store-failed' } as const;

/**
 * Calls the user's code, with limits on concurrency and duration. Whatever it throws becomes an error of the catalogue, with
 * the original as its cause.
 */
export function createUserCode({ timeoutMs, callsAtOnce, onError }: UserCodeOptions) {
  const slots = createSlots(callsAtOnce);

  return <T>(
    { name, batch: { batchId, openedAtMs }, attempt, signal: outer }: UserCall,
    call: (call: StoreCall) => T | Promise<T>,
  ): Promise<T> =>
    slots(async () => {
      const code = FALLBACK[name];
      const abort = new AbortController();
      let reject: (reason: Error) => void = () => undefined;
      const ended = new Promise<never>((_, rejected) => (reject = rejected));
      // It may be rejected when nobody waits for it any more.
      ended.catch(() => undefined);
      const giveUp = (detail: string): void => {
        const error = new KeepapartError(code, detail);
        abort.abort(error);
        reject(error);
      };
      const cancel = (): void => giveUp(`${name} was cancelled`);
      const late = `${name} did not return within ${timeoutMs / 1000} s (STORE_TIMEOUT_MS)`;
      const timer = setTimeout(() => giveUp(late), timeoutMs);
      outer?.addEventListener('abort', cancel);
      if (outer?.aborted === true) cancel();
      const run = async (): Promise<T> => {
        abort.signal.throwIfAborted();
        return call({ batchId, openedAtMs, attempt, signal: abort.signal });
      };
      try {
        return await Promise.race([ended, run()]);
      } catch (error) {
        if (isKeepapartError(error)) throw error;
        const away = isStoreAway(error);
        if (!away) onError(error, { name, batchId });
        const message = error instanceof Error ? error.message : String(error);
        throw new KeepapartError(away ? 'store-away' : code, `${name}: ${message}`, { cause: error });
      } finally {
        clearTimeout(timer);
        outer?.removeEventListener('abort', cancel);
      }
    });
}
