import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../domain/duration';
import { KeepapartApiError, KeepapartUnreachableError } from './errors';

/** How often and how long the same is sent again. Whichever bound comes first ends it with the last error. */
export interface RetryOptions {
  /** Tries in all, at least 1. Default 10. Of a stream: tries in a row that got no farther than those before. */
  maxAttempts?: number | undefined;
  /** From the first try on, waiting included, in milliseconds. Default 60,000. Of a stream: since it last got on. */
  maxElapsedMs?: number | undefined;
  /** Bound of the first random wait, doubled for each that follows, in milliseconds. Default 200. */
  initialDelayMs?: number | undefined;
  /** Where the doubling ends, in milliseconds. Default 10,000. `Retry-After` may be longer. */
  maxDelayMs?: number | undefined;
  /** Told before each wait. */
  onRetry?: ((retry: Retry) => void) | undefined;
}

export interface Retry {
  /** Tries that have failed in a row. */
  failures: number;
  /** How long is waited now, in milliseconds. */
  delayMs: number;
  error: KeepapartApiError | KeepapartUnreachableError;
}

export type RetryPolicy = { [Option in keyof RetryOptions]-?: Exclude<RetryOptions[Option], undefined> };

const DEFAULTS: RetryPolicy = {
  maxAttempts: 10,
  maxElapsedMs: 60 * SECOND,
  initialDelayMs: 200,
  maxDelayMs: 10 * SECOND,
  onRetry: () => undefined,
};

export function retryPolicy(options: RetryOptions = {}): RetryPolicy {
  const given = Object.entries(options).filter(([, value]) => (value as unknown) !== undefined);
  return { ...DEFAULTS, ...(Object.fromEntries(given) as Partial<RetryPolicy>) };
}

/** 408: what was sent came too slowly. */
const TEMPORARY: readonly (number | undefined)[] = [408, 429, 503];
/** What proxies answer when the connection behind them broke; nobody answered at all. */
const TEMPORARY_OF_OTHERS: readonly (number | undefined)[] = [...TEMPORARY, 502, 504, undefined];

/** Whether the same may succeed later. */
export function isTemporary(error: unknown): error is KeepapartApiError | KeepapartUnreachableError {
  if (error instanceof KeepapartApiError) return TEMPORARY.includes(error.status);
  if (!(error instanceof KeepapartUnreachableError) || error.untrusted) return false;
  return TEMPORARY_OF_OTHERS.includes(error.status);
}

interface Attempts<T> {
  policy: RetryPolicy;
  signal: AbortSignal | undefined;
  attempt: () => Promise<T>;
  /** Whether the failed try could be repeated at all. Default: always. */
  repeatable?: () => boolean;
  /** Whether it got farther than all before it: the bounds then count anew. Default: never. */
  gotOn?: () => boolean;
}

/** Tries until it succeeds, fails for good, or a bound is reached; throws the last error, or the signal's reason. */
export async function withRetries<T>(attempts: Attempts<T>): Promise<T> {
  const { policy, signal, attempt, repeatable = () => true, gotOn = () => false } = attempts;
  let failures = 0;
  let sinceMs = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!isTemporary(error) || !repeatable()) throw error;
      if (gotOn()) {
        failures = 0;
        sinceMs = performance.now();
      }
      failures += 1;
      const delayMs = delayOf(failures, error.retryAfterMs ?? 0, policy);
      const tooLate = performance.now() - sinceMs + delayMs > policy.maxElapsedMs;
      if (failures >= policy.maxAttempts || tooLate) throw error;
      policy.onRetry({ failures, delayMs, error });
      await pause(delayMs, signal);
    }
  }
}

/**
 * Exponential backoff with full jitter; what the API asked for comes first, and the random part on top, so that clients
 * that were told the same time don't come back at the same moment.
 */
function delayOf(failures: number, askedMs: number, { initialDelayMs, maxDelayMs }: RetryPolicy): number {
  return askedMs + Math.random() * Math.min(maxDelayMs, initialDelayMs * 2 ** (failures - 1));
}

/** Throws the signal's reason when it is aborted meanwhile. */
export async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(delayMs, undefined, signal && { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}
