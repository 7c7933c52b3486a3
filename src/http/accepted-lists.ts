import { LRUCache } from 'lru-cache';

/** Lists that are remembered; of more, the latest. */
const MAX_LISTS = 10_000;

/**
 * Which request each accepted list became, by the id of its HTTP request: what a client sees as `X-Request-Id`, and what
 * the log has. In memory, for the latest lists that this process has accepted.
 */
export class AcceptedLists {
  private readonly requests = new LRUCache<string, string>({ max: MAX_LISTS });

  note(httpRequestId: string, requestId: string): void {
    this.requests.set(httpRequestId, requestId);
  }

  requestOf(httpRequestId: string): string | undefined {
    return this.requests.get(httpRequestId);
  }
}
