import type { BufferedRecordView } from '../../contracts/api/answers/buffer';
import { shortJson } from '../../domain/format';
import { partition } from '../../domain/partition';
import { classify } from '../../domain/partition/graph/classes';
import { listOf } from '../../domain/partition/graph/lists';
import type { CutRules } from './rules';

/** Buffered records by what they conflict with, against the batches they would go in. */
export interface Matrix {
  /** Those with most records first. */
  rows: {
    /** Its oldest value. */
    label: string;
    /** Whether it has different values, all kept apart from the same others. */
    isMixed: boolean;
    records: number;
    /** How many of them go in each batch. */
    cells: number[];
    /** How many may not start yet, as a conflicting record is in flight or ended a moment ago. */
    held: number;
  }[];
  batches: number;
  /** No cut has fewer. */
  lowerBound: number;
}

/** Cuts records, the oldest first, with the partitioner, and sorts them by what it takes for interchangeable. */
export function matrixOf(records: readonly BufferedRecordView[], options: CutRules): Matrix {
  const { batches, lowerBound } = partition(records, options);
  const batchOf = new Map(batches.flatMap((batch, index) => batch.map((record) => [record, index] as const)));
  const { members, classOf } = classify(records, options.rules);
  const rows = Array.from(new Set(classOf), (index) => {
    const own = [...listOf(members, index)].flatMap((record) => records[record] ?? []);
    const cells = batches.map(() => 0);
    for (const record of own) {
      const batch = batchOf.get(record) ?? 0;
      cells[batch] = (cells[batch] ?? 0) + 1;
    }
    const texts = new Set(own.map(({ value }) => JSON.stringify(value)));
    return {
      label: shortJson(own[0]?.value, 30),
      isMixed: texts.size > 1,
      records: own.length,
      cells,
      held: own.filter(({ heldBy }) => heldBy !== null).length,
    };
  });
  return { rows: rows.sort((a, b) => b.records - a.records), batches: batches.length, lowerBound };
}
