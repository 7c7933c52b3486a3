import { KeepapartError } from '../domain/errors';
import type { BatchRef } from '../domain/records/batch';

interface Named {
  recordId: string;
}

/** Record ids for a message. */
export function idsOf(records: readonly Named[]): string {
  return records.map(({ recordId }) => recordId).join(', ');
}

/** `batch-already-closed`: a late attempt, which is not repeated. */
export function alreadyClosed({ batchId }: BatchRef, records: readonly Named[]): KeepapartError {
  return new KeepapartError(
    'batch-already-closed',
    `batch ${batchId} is already closed; this attempt to save ${idsOf(records)} is too late`,
  );
}

/**
 * `staged-record-missing`: another worker has saved these somewhere else.
 * @param where where they were looked for, and which settings of all workers must agree
 */
export function stagedRecordMissing(
  { batchId }: BatchRef,
  missing: readonly Named[],
  where: string,
): KeepapartError {
  return new KeepapartError(
    'staged-record-missing',
    `batch ${batchId} can't be closed: ${idsOf(missing)} reported as saved, but not in ${where}`,
  );
}
