import type { ConflictRule } from './index';

/** What a batch was cut by: it stands with the batch, whatever is in force later. */
export interface CutBy {
  /** The most records that a batch was to have. */
  maxBatchSize: number;
  /** Of the rules that were in force, in their order, those that apply to any of its records. */
  rules: ConflictRule[];
}
