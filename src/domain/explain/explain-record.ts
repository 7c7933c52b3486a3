import { conflictingRules, type ConflictRule } from '../rules';
import type { JsonValue } from '../json';

/** Why a record is in no earlier batch than it is: one entry for each batch before its own, in their order. */
export interface PassedBatch<T> {
  /** Index of the batch. */
  batch: number;
  /**
   * - `full`: it has as many records as a batch may have, none of which conflicts with the record.
   * - `rules`: rules keep the record apart from one that is in it.
   * - `spread`: it would have fitted. It is where it is so that all records take few batches.
   */
  why: 'full' | 'rules' | 'spread';
  /** For `rules`: the first record that it is kept apart from, and the indices of all rules that do so. */
  apartFrom?: { record: T; rules: number[] };
}

/**
 * Says why a record is in the batch it is in. Compares it with the records of every earlier batch, from the plain
 * definition of a conflict, so it is meant for a question, not for every record of a long list.
 *
 * Throws RangeError when the record is in none of the batches.
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
