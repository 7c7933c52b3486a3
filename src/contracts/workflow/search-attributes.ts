import { defineSearchAttributeKey } from '@temporalio/common';
import { KIB } from '../../domain/duration';
import { jsonBytes } from '../../domain/json';
import { hashedId } from '../../domain/hashed-ids';

/**
 * Filters for the Web UI and `temporal workflow list`; `docs/WEB-UI.md` has examples. They never contain values of
 * records, and Temporal can't be given encrypted ones. SQL visibility stores offer three Int attributes per namespace, all
 * of which are used, so shards are identified by the batcher's workflow id (Keyword).
 */
export const SEARCH_ATTRIBUTES = {
  /** On batchers and children: workflow id of the batcher, for example `batcher-0`. */
  batcher: defineSearchAttributeKey('KeepapartBatcher', 'KEYWORD'),
  /** On batchers: `running` or `paused`. */
  batcherState: defineSearchAttributeKey('KeepapartBatcherState', 'KEYWORD'),
  /** On children: `size`, `age`, `manual`, `drain`, or {@link MIXED_REASONS} if its batches have different reasons. */
  flushReason: defineSearchAttributeKey('KeepapartFlushReason', 'KEYWORD'),
  /** On children: the requests that it has records of, or hashes of their ids; see {@link indexedRequestIds}. */
  requestIds: defineSearchAttributeKey('KeepapartRequestIds', 'KEYWORD_LIST'),
  /** On children: numbers of records with a known outcome. */
  saved: defineSearchAttributeKey('KeepapartSaved', 'INT'),
  rolledBack: defineSearchAttributeKey('KeepapartRolledBack', 'INT'),
  /** On children: save attempts beyond the first, summed over its records. */
  retries: defineSearchAttributeKey('KeepapartRetries', 'INT'),
  /** On children: true if the rollback of a record failed permanently; otherwise absent. */
  undoFailed: defineSearchAttributeKey('KeepapartUndoFailed', 'BOOL'),
} as const;

export const MIXED_REASONS = 'mixed';

/** Marker in `KeepapartRequestIds` for ids that did not fit. */
export const MORE_REQUEST_IDS = 'and-more';

/**
 * Temporal limits the value of a search attribute to 2 KiB as JSON; beyond it, the workflow that sets it is terminated,
 * which would be the batcher. Leaves room for the brackets and the marker.
 */
const MAX_INDEXED_BYTES = 2 * KIB - jsonBytes([MORE_REQUEST_IDS]);

/**
 * The distinct request ids that fit into one search attribute, in order. If some don't fit, {@link MORE_REQUEST_IDS} is
 * added; a search for a request has to read the children with this marker as well.
 * @param idKey with it, each id is hashed: see {@link hashedId}
 */
export function indexedRequestIds(requestIds: Iterable<string>, idKey?: string): string[] {
  const indexed: string[] = [];
  let bytes = 0;
  for (const requestId of new Set(requestIds)) {
    const id = idKey === undefined ? requestId : hashedId(idKey, requestId);
    bytes += jsonBytes(id) + 1;
    if (bytes > MAX_INDEXED_BYTES) return [...indexed, MORE_REQUEST_IDS];
    indexed.push(id);
  }
  return indexed;
}
