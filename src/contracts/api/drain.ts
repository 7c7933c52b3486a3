import type { OperatorAction } from '../workflow/batcher-status';
import type { StoreAwayView } from './views';

/** The records of one shard that were accepted before a drain and have no outcome yet. */
export interface DrainingShard {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  bufferedRecords: number;
  /** Number of batches in flight. */
  inFlight: number;
  /** Who paused the shard, and when; null if it isn't paused. */
  paused: OperatorAction | null;
  /** Set if the store is unavailable. */
  storeAway: StoreAwayView | null;
}

/** The progress of a drain. */
export interface DrainReport extends OperatorAction {
  /** Whether all records that were accepted before the drain have their outcomes. */
  drained: boolean;
  shards: DrainingShard[];
}

export interface DrainOptions {
  /** How long to wait, in milliseconds. The drain continues after a timeout. */
  timeoutMs: number;
  /** Checked repeatedly while waiting; false ends the wait. Default: always true. */
  stillWanted?: () => boolean;
  /** Called after each check of the shards. */
  onProgress?: (report: DrainReport) => void;
}
