import type { ConflictRule } from './conflict-rules';
import type { JsonValue } from './json';

export interface PartitionOptions {
  rules: readonly ConflictRule[];
  maxBatchSize: number;
}

export interface PartitionResult<T> {
  /** Every record exactly once; no batch over `maxBatchSize` (G1), none with a conflict (G2); oldest batch first. */
  batches: T[][];
  /** No partition of these records under these rules has fewer batches than this. */
  lowerBound: number;
}

/** Cuts records, given oldest first, into conflict-free batches. */
export function partition<T extends { value: JsonValue }>(
  records: readonly T[],
  options: PartitionOptions,
): PartitionResult<T> {
  throw new Error(`not written yet ${records.length} ${options.maxBatchSize}`);
}
