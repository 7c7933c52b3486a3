import { KeepapartError } from '../../domain/errors';
import type { Step } from '../steps';
import { keyNameOf } from './auth';
import { buckets } from './buckets';

/**
 * Limits the requests per second of each caller: the holder of an API key or, without keys, a client address. 0 means
 * no limit, and adds no step. Throws `rate-limited`; clients may retry after `Retry-After`.
 */
export function rateLimit(perSecond: number): Step[] {
  if (perSecond === 0) return [];
  const take = buckets(perSecond);
  const limit: Step = (req, res) => {
    const retryAfterMs = take(keyNameOf(res) ?? req.socket.remoteAddress ?? '');
    if (retryAfterMs !== undefined)
      throw new KeepapartError('rate-limited', `At most ${perSecond} a second; nothing was done`, {
        retryAfterMs,
      });
  };
  return [limit];
}
