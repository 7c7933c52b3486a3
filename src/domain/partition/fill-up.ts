import type { ConflictRule } from '../rules';
import type { JsonValue } from '../json';
import { classify } from './graph/classes';
import { slotCounts } from './graph/conflict-counts';
import { OpenBatches } from './search/open-batches';

/** A batch with as many further records, in the given order, as it has room for and as it has no conflict with. */
export function fillUp<T extends { value: JsonValue }>(
  batch: readonly T[],
  candidates: readonly T[],
  { rules, maxBatchSize }: { rules: readonly ConflictRule[]; maxBatchSize: number },
): T[] {
  const records = [...batch, ...candidates];
  const classes = classify(records, rules);
  const open = new OpenBatches(classes, slotCounts(classes), maxBatchSize);
  return records.filter((_, index) => {
    const recordClass = classes.classOf[index] ?? 0;
    const fits = index < batch.length || (open.count > 0 && open.firstFor(recordClass, 0) === 0);
    if (fits) open.put(recordClass, 0);
    return fits;
  });
}
