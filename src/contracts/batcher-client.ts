import type { JsonValue } from '../domain/json';
import type { BatchPage, BatchState, BatchView, RequestView, StatusView } from './views';

/**
 * The way from the edge (HTTP, TCP, command line) to the batchers and back; implemented over Temporal in
 * `src/temporal`. Errors are `temporal-unavailable` (repeat later) or bugs.
 */
export interface BatcherClient {
  /**
   * Resolves only when Temporal has persisted the records (G3); rejects when it is unknown whether it has. With `once`
   * the requestId is a key: what was taken under it before isn't taken again (G5), and other records under it are
   * refused with `idempotency-key-reused`.
   */
  addRecords(request: { requestId: string; values: JsonValue[] }, options?: { once?: boolean }): Promise<void>;
  status(): Promise<StatusView>;
  /** `undefined` when no such request is known: never sent, or older than the namespace retains. */
  request(requestId: string): Promise<RequestView | undefined>;
  /** Newest first. Throws `invalid-request` when the cursor isn't one of ours. */
  batches(filter: { state?: BatchState; limit: number; cursor?: string }): Promise<BatchPage>;
  batch(batchId: string): Promise<BatchView | undefined>;
  /** Operator controls, for every shard; durable, applied in order with the records. `by` is kept in history. */
  flush(by: string): Promise<void>;
  pause(by: string): Promise<void>;
  resume(by: string): Promise<void>;
  /** Resolves when Temporal answers and this namespace exists; throws `temporal-unavailable` otherwise. */
  checkReady(): Promise<void>;
}
