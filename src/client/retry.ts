import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../domain/duration';
import { KeepapartApiError, KeepapartUnreachableError } from './errors';

/** How often and how long a call is retried. The first bound that is reached ends it with the last error. */
export interface RetryOptions {
  /** Maximum attempts, at least 1. Default 10. For a stream: successive attempts that made no progress. */
  maxAttempts?: number | undefined;
  /** Maximum time since the first attempt, including waits, in milliseconds. Default 60,000. For a stream: since its last progress. */
  maxElapsedMs?: number | undefined;
  /** Maximum of the first random delay, doubled for each further one, in milliseconds. Default 200. */
  initialDelayMs?: number | undefined;
  /** Upper limit of the doubling, in milliseconds. Default 10,000. `Retry-After` may be longer. */
  maxDelayMs?: number | undefined;
  /** Called before each delay. */
  onRetry?: ((retry: Retry) => void) | undefined;
}

/** A retry that is about to happen. */
export interface Retry {
  /** Number of successive failed attempts. */
  failures: number;
  /** Delay before the next attempt, in milliseconds. */
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

/** 408: the request arrived too slowly. */
const TEMPORARY: readonly (number | undefined)[] = [408, 429, 503];
/** What proxies answer if the connection behind them broke; undefined if there was no answer. */
const TEMPORARY_OF_OTHERS: readonly (number | undefined)[] = [...TEMPORARY, 502, 504, undefined];

/** Whether the same call may succeed later. */
export function isTemporary(error: unknown): error is KeepapartApiError | KeepapartUnreachableError {
  if (error instanceof KeepapartApiError) return TEMPORARY.includes(error.status);
  if (!(error instanceof KeepapartUnreachableError) || error.untrusted) return false;
  return TEMPORARY_OF_OTHERS.includes(error.status);
}

interface Attempts<T> {
  policy: RetryPolicy;
  signal: AbortSignal | undefined;
  attempt: () => Promise<T>;
  /** Whether the failed attempt can be repeated. Default: always. */
  repeatable?: () => boolean;
  /** Whether it got further than all before it, which resets the bounds. Default: never. */
  madeProgress?: () => boolean;
}

/** Repeats an attempt until it succeeds, fails permanently, or a bound is reached. @throws the last error, or the signal's reason */
export async function withRetries<T>(attempts: Attempts<T>): Promise<T> {
  const { policy, signal, attempt, repeatable = () => true, madeProgress = () => false } = attempts;
  let failures = 0;
  let sinceMs = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!isTemporary(error) || !repeatable()) throw error;
      if (madeProgress()) {
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
 * Exponential backoff with full jitter, on top of the delay that the API asked for, so that clients that got the same
 * delay don't come back at the same moment.
 */
function delayOf(failures: number, askedMs: number, { initialDelayMs, maxDelayMs }: RetryPolicy): number {
  return askedMs + Math.random() * Math.min(maxDelayMs, initialDelayMs * 2 ** (failures - 1));
}

/** Waits. @throws the signal's reason if it is aborted meanwhile */
export async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(delayMs, undefined, signal && { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}
