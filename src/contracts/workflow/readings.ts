import type { BatcherStatus } from './batcher';
import type { BufferWaits } from './waits';

/** An answer of a shard's batcher about itself. */
export interface ShardReading {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  /** When the batcher was asked, in milliseconds since the epoch. */
  atMs: number;
  status: BatcherStatus;
  waits: BufferWaits;
}

/** A shard with its last reading. */
export interface KnownShard {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  /** Undefined if there is none, or only an outdated one. */
  reading: ShardReading | undefined;
}
