import { LRUCache } from 'lru-cache';

/** How many lists are remembered: the latest. */
const MAX_LISTS = 10_000;

/**
 * Maps the id of an HTTP request (`X-Request-Id`, also in the log) to the `requestId` of its list. In memory, for the
 * latest lists that this process accepted.
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
