import type { BatchInput } from '../contracts/batch';
import type { BatchCutView } from '../contracts/views';
import { WHY_NO_LARGER } from '../domain/explain';
import { restoredReason } from '../domain/explain/cut-reason';
import { tellCut } from '../domain/explain/tell-cut';

/** Why a batch was cut where it was, as far as it stands with the batch; null where it doesn't. */
export function cutViewOf({ batch, cutBy, cut }: BatchInput): BatchCutView | null {
  if (cutBy === undefined) return null;
  const { maxBatchSize, rules } = cutBy;
  const size = { records: batch.records.length, maxBatchSize, flushReason: batch.flushReason };
  if (cut !== undefined) {
    const reason = restoredReason(cut, rules);
    return { text: tellCut(size, reason), maxBatchSize, ...reason };
  }
  // A worker that tells no reasons leaves them out also where the batch isn't full.
  if (size.records < maxBatchSize) return null;
  return { text: tellCut(size), maxBatchSize, why: WHY_NO_LARGER.full, ...NOTHING_TOLD };
}

const NOTHING_TOLD = { oldestMs: null, left: null, unseen: null, keptOut: [], tooLarge: null, fitting: null };
