import { FLUSH_REASON } from '../../../domain/records/batch';
import { appendRequest, emptyBuffer, flushAll, type BufferedRecord } from '../../../domain/buffer/buffer';
import type { ConflictRule } from '../../../domain/rules';
import { explainBatches, type Explanation } from '../../../domain/explain';
import { MAX_BATCH_BYTES } from '../../../domain/buffer/flush-cut';
import { takeFlushes } from '../../../domain/buffer/flush-policy';
import type { JsonValue } from '../../../domain/json';
import { partition } from '../../../domain/partition';

/** Cuts records, oldest first, as a batcher does that has them all in its buffer when they are due, and says why so. */
export function cutAsBatcher(
  values: readonly JsonValue[],
  { rules, maxBatchSize }: { rules: readonly ConflictRule[]; maxBatchSize: number },
): Explanation<BufferedRecord> {
  const buffer = emptyBuffer();
  appendRequest(buffer, { requestId: 'explained', values }, 0);
  flushAll(buffer, FLUSH_REASON.manual);
  const { lowerBound } = partition(buffer.waiting, { rules, maxBatchSize });
  const flushes = takeFlushes(buffer, { maxBatchSize, conflicts: rules, flushIntervalMs: 1 }, 0, Infinity);
  return explainBatches(
    flushes.map(({ records }) => records),
    { rules, maxBatchSize, lowerBound, maxBatchBytes: MAX_BATCH_BYTES },
  );
}
