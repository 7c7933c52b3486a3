import { SAVE_ACTIVITY, type PipelineSettings, type SaveActivity } from '../src/contracts/settings';
import { KIB } from '../src/domain/duration';
import { MAX_BATCH_BYTES, bytesOf } from '../src/domain/flush-cut';
import type { Flush } from '../src/domain/flush-policy';
import { jsonBytes } from '../src/domain/json';

/**
 * Most attempts that a child may come to have in its history. Temporal ends a run at 51,200 events, and each attempt of a
 * local activity is one, with up to five of the timer and the task around it.
 */
const MAX_LOCAL_ATTEMPTS = 5000;

/** Temporal allows 2,000 pending activities. */
const MAX_RECORDS = 1000;

/** Of the ids in a group's memo: Temporal takes 32 KiB of it. */
const MAX_REQUEST_BYTES = 12 * KIB;

/** How so many records of one child are saved: by activities of the server's where local ones might fill its history. */
export function saveActivityFor(
  records: number,
  { saveActivity, maxAttempts }: PipelineSettings,
): SaveActivity {
  const tooMany = saveActivity === SAVE_ACTIVITY.local && records * maxAttempts > MAX_LOCAL_ATTEMPTS;
  return tooMany ? SAVE_ACTIVITY.regular : saveActivity;
}

/** Most batches that may share a child: `BATCHES_PER_CHILD`, as far as the child's bounds allow. */
export function batchesTogether(settings: PipelineSettings): number {
  const { batchesPerChild, maxBatchSize, maxAttempts, saveActivity } = settings;
  const attemptsOfBatch = { regular: 0, local: maxBatchSize * maxAttempts, batch: maxAttempts }[saveActivity];
  const fitting = Math.min(
    batchesPerChild,
    Math.floor(MAX_RECORDS / maxBatchSize),
    Math.floor(MAX_LOCAL_ATTEMPTS / Math.max(1, attemptsOfBatch)),
  );
  return Math.max(1, fitting);
}

/** Batches that start now, in order, put together into children. */
export function groupFlushes(flushes: readonly Flush[], settings: PipelineSettings): Flush[][] {
  const most = batchesTogether(settings);
  if (most === 1) return flushes.map((flush) => [flush]);
  const groups: Flush[][] = [];
  let bytes = 0;
  let requests = new Set<string>();
  let requestBytes = 0;
  for (const flush of flushes) {
    const ownBytes = bytesOf(flush.records);
    const own = new Set(flush.records.map(({ requestId }) => requestId));
    const addedBytes = memoBytesOf([...own].filter((id) => !requests.has(id)));
    const current = groups.at(-1);
    if (
      current !== undefined &&
      current.length < most &&
      bytes + ownBytes <= MAX_BATCH_BYTES &&
      requestBytes + addedBytes <= MAX_REQUEST_BYTES
    ) {
      current.push(flush);
      bytes += ownBytes;
      requestBytes += addedBytes;
      for (const id of own) requests.add(id);
    } else {
      groups.push([flush]);
      bytes = ownBytes;
      requests = own;
      requestBytes = memoBytesOf([...own]);
    }
  }
  return groups;
}

/** What requests take in a group's memo, each with its length and the brackets around. */
function memoBytesOf(requestIds: readonly string[]): number {
  return requestIds.reduce((sum, id) => sum + jsonBytes(id) + 12, 0);
}
