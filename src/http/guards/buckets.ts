import { TokenBucket } from 'limiter';
import { LRUCache } from 'lru-cache';
import { SECOND } from '../../domain/duration';

/**
 * Bounds the memory for callers. The one that was away longest is forgotten first, and starts again with a full bucket.
 */
const MAX_CALLERS = 10_000;

/**
 * Counts what callers do: each may do so much a second, and as much at once after a second of silence (a token bucket of
 * one second's worth). Counts for this process alone.
 * @returns takes one from a caller's bucket: undefined if there was one, otherwise how long until there is, in milliseconds
 */
export function buckets(perSecond: number): (caller: string) => number | undefined {
  const byCaller = new LRUCache<string, TokenBucket>({ max: MAX_CALLERS });
  return (caller) => {
    const bucket = byCaller.get(caller) ?? fullBucket(perSecond);
    byCaller.set(caller, bucket);
    return bucket.tryRemoveTokens(1) ? undefined : bucket.getWaitTime(1);
  };
}

function fullBucket(perSecond: number): TokenBucket {
  const bucket = new TokenBucket({ bucketSize: perSecond, tokensPerInterval: perSecond, interval: SECOND });
  bucket.content = perSecond;
  return bucket;
}
