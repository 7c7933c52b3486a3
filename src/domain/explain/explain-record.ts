import { conflictingRules, type ConflictRule } from '../rules';
import type { JsonValue } from '../json';

/** Why a record is not in a certain batch before its own. */
export interface PassedBatch<T> {
  /** Index of the batch. */
  batch: number;
  /**
   * - `full`: the batch has its maximum number of records, none of which conflicts with the record.
   * - `rules`: the batch has a record that rules keep apart from this one.
   * - `spread`: the record would have fitted. It is in a later batch because the partitioner minimises the number of
   *   batches and doesn't fill the first ones.
   */
  why: 'full' | 'rules' | 'spread';
  /** For `rules`: the first conflicting record, and the indices of all rules that keep the two apart. */
  apartFrom?: { record: T; rules: number[] };
}

/**
 * Explains why a record is in no earlier batch: one entry for each batch before its own, in order. Compares the record
 * with all records of those batches, so it is meant for single records, not for every record of a long list.
 *
 * Throws RangeError if the record is in none of the batches.
 *
 * @example
 * const { batches } = partition(rows, { rules, maxBatchSize: 2 });
 * explainRecord(batches, rows[2], { rules, maxBatchSize: 2 });
 * // [{ batch: 0, why: 'rules', apartFrom: { record: rows[0], rules: [0] } }]
 */
export function explainRecord<T extends { value: JsonValue }>(
  batches: readonly (readonly T[])[],
  record: T,
  { rules, maxBatchSize }: { rules: readonly ConflictRule[]; maxBatchSize: number },
): PassedBatch<T>[] {
  const own = batches.findIndex((batch) => batch.includes(record));
  if (own === -1) throw new RangeError('the record is in none of these batches');
  return batches.slice(0, own).map((batch, index): PassedBatch<T> => {
    for (const other of batch) {
      const apart = conflictingRules(record.value, other.value, rules);
      if (apart.length > 0) return { batch: index, why: 'rules', apartFrom: { record: other, rules: apart } };
    }
    return { batch: index, why: batch.length >= maxBatchSize ? 'full' : 'spread' };
  });
}
