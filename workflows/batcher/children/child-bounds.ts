import type { PipelineSettings } from '../../../src/contracts/workflow/settings';
import { KIB } from '../../../src/domain/duration';
import { MAX_BATCH_BYTES } from '../../../src/domain/buffer/flush-cut';
import { totalBytes } from '../../../src/domain/records/record';
import type { ExplainedFlush } from '../../../src/domain/explain/cut-reason';
import { jsonBytes } from '../../../src/domain/json';

/**
 * Maximum number of records of a child that saves in bulk. Its records and outcomes must fit a payload (2 MiB), and a
 * finished batch waits for the slowest one of the shared attempt.
 */
const MAX_RECORDS = 1000;

/** Maximum bytes of the ids in a child's memo, of which Temporal accepts 32 KiB. */
const MAX_REQUEST_BYTES = 12 * KIB;

/** Maximum number of batches of a child that saves in bulk. */
export function batchesTogether({ maxBatchSize }: PipelineSettings): number {
  return Math.max(1, Math.floor(MAX_RECORDS / maxBatchSize));
}

/** Groups batches that start now, in order, into children that save in bulk. */
export function groupFlushes(
  flushes: readonly ExplainedFlush[],
  settings: PipelineSettings,
): ExplainedFlush[][] {
  const most = batchesTogether(settings);
  const groups: ExplainedFlush[][] = [];
  let bytes = 0;
  let requests = new Set<string>();
  let requestBytes = 0;
  for (const flush of flushes) {
    const ownBytes = totalBytes(flush.records);
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

/** Bytes of request ids in a child's memo, each with its length, and the brackets. */
function memoBytesOf(requestIds: readonly string[]): number {
  return requestIds.reduce((sum, id) => sum + jsonBytes(id) + 12, 0);
}
