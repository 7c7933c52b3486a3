import type { OperatorAction } from '../workflow/batcher-status';
import type { StoreAwayView } from './views';

/** How much of what was accepted before a drain has no outcome yet, in one shard. */
export interface DrainingShard {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  bufferedRecords: number;
  /** Batches. */
  inFlight: number;
  /** By whom and since when no batch starts; null while they do. */
  paused: OperatorAction | null;
  /** The store that its batches wait for; null while it works. */
  storeAway: StoreAwayView | null;
}

/** What a drain has come to. */
export interface DrainReport extends OperatorAction {
  /** Whether everything that was accepted before it has its outcome. */
  drained: boolean;
  shards: DrainingShard[];
}

export interface DrainOptions {
  /** How long to wait for the end, in milliseconds. The drain itself goes on after that. */
  timeoutMs: number;
  /** Asked now and then; the waiting ends when it says no. Default: it never does. */
  stillWanted?: () => boolean;
  /** Told of each look. */
  onProgress?: (report: DrainReport) => void;
}
