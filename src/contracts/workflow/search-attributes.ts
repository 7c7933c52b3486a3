import { defineSearchAttributeKey } from '@temporalio/common';
import { KIB } from '../../domain/duration';
import { jsonBytes } from '../../domain/json';

/**
 * What the Web UI and `temporal workflow list` can filter by; the filters that operators need are in
 * `docs/WEB-UI.md`. Never a record's content. SQL visibility stores offer three Int attributes per namespace, all of
 * which are used here, so the shard is told by its batcher's id (Keyword).
 */
export const SEARCH_ATTRIBUTES = {
  /** Workflow id of the batcher, on batcher and batch: `batcher-0`. */
  batcher: defineSearchAttributeKey('KeepapartBatcher', 'KEYWORD'),
  /** On the batcher: `running` or `paused`. */
  batcherState: defineSearchAttributeKey('KeepapartBatcherState', 'KEYWORD'),
  /** On the batch: `size`, `age`, `manual`, `drain`; {@link MIXED_REASONS} on several of which it is not the same. */
  flushReason: defineSearchAttributeKey('KeepapartFlushReason', 'KEYWORD'),
  /** On the batch: the requests whose records it holds; see {@link indexedRequestIds} for the bound. */
  requestIds: defineSearchAttributeKey('KeepapartRequestIds', 'KEYWORD_LIST'),
  /** On the batch, once its outcomes are known. */
  saved: defineSearchAttributeKey('KeepapartSaved', 'INT'),
  rolledBack: defineSearchAttributeKey('KeepapartRolledBack', 'INT'),
  /** On the batch: attempts beyond the first, summed over its records. */
  retries: defineSearchAttributeKey('KeepapartRetries', 'INT'),
  /** On the batch: true when the rollback of one of its records failed for good; else not there. */
  undoFailed: defineSearchAttributeKey('KeepapartUndoFailed', 'BOOL'),
} as const;

export const MIXED_REASONS = 'mixed';

/** Stands in `KeepapartRequestIds` for the ids that did not fit. */
export const MORE_REQUEST_IDS = 'and-more';

/**
 * Temporal refuses a search attribute whose value takes more than 2 KiB as JSON, by terminating the workflow that set
 * it: here the batcher. Room is left for the brackets and the marker.
 */
const MAX_INDEXED_BYTES = 2 * KIB - jsonBytes([MORE_REQUEST_IDS]);

/**
 * The distinct request ids of a batch, as many as one search attribute may hold; when some don't fit, the marker
 * {@link MORE_REQUEST_IDS} is among them, and a search for a request has to look into marked batches as well.
 */
export function indexedRequestIds(requestIds: Iterable<string>): string[] {
  const indexed: string[] = [];
  let bytes = 0;
  for (const requestId of new Set(requestIds)) {
    bytes += jsonBytes(requestId) + 1;
    if (bytes > MAX_INDEXED_BYTES) return [...indexed, MORE_REQUEST_IDS];
    indexed.push(requestId);
  }
  return indexed;
}
