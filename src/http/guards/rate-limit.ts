import { TokenBucket } from 'limiter';
import { LRUCache } from 'lru-cache';
import { SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { keyNameOf } from './auth';
import type { Step } from '../steps';

/** Bounds the memory that addresses can take. Who was away longest is forgotten first, and starts with a full bucket. */
const MAX_CALLERS = 10_000;

/**
 * Lets each caller (the holder of an API key; without keys, a client address) make so many requests a second, and as
 * many at once after a second of silence: a token bucket of one second's worth. No step at all for 0, which is no
 * limit. Counts for this process alone. Throws `rate-limited`; the client may come back after `Retry-After`.
 */
export function rateLimit(perSecond: number): Step[] {
  if (perSecond === 0) return [];
  const buckets = new LRUCache<string, TokenBucket>({ max: MAX_CALLERS });
  const limit: Step = (req, res) => {
    const caller = keyNameOf(res) ?? req.socket.remoteAddress ?? '';
    const bucket = buckets.get(caller) ?? fullBucket(perSecond);
    buckets.set(caller, bucket);
    if (!bucket.tryRemoveTokens(1))
      throw new KeepapartError('rate-limited', `At most ${perSecond} a second; nothing was done`, {
        retryAfterMs: bucket.getWaitTime(1),
      });
  };
  return [limit];
}

function fullBucket(perSecond: number): TokenBucket {
  const bucket = new TokenBucket({ bucketSize: perSecond, tokensPerInterval: perSecond, interval: SECOND });
  bucket.content = perSecond;
  return bucket;
}
