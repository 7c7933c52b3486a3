import type { ConflictRule } from './index';

/** The settings that a batch was cut by. Kept in the child's input, since the settings in force may change later. */
export interface CutBy {
  maxBatchSize: number;
  /** Those of the rules in force, in order, that apply to any of the batch's records. */
  rules: ConflictRule[];
}
