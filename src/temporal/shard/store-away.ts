import type { StoreAwayView } from '../../contracts/api/answers/status';
import type { StoreStatus } from '../../contracts/workflow/batcher-status';

/** The view of a store's status; null if the store is available. */
export function storeAwayView(status: StoreStatus | null): StoreAwayView | null {
  if (status === null) return null;
  const { sinceMs, ...rest } = status;
  return { since: new Date(sinceMs).toISOString(), ...rest };
}
