import type { BatcherStatus } from './batcher';
import type { BufferWaits } from './waits';

/** What the batcher of a shard said of itself. */
export interface ShardReading {
  shard: number;
  /** Its workflow id. */
  batcher: string;
  /** When it was asked, in milliseconds since the epoch. */
  atMs: number;
  status: BatcherStatus;
  waits: BufferWaits;
}

/** A shard, and what is known of it. */
export interface KnownShard {
  shard: number;
  batcher: string;
  /** The last answer; undefined where there is none that is young enough to mean something. */
  reading: ShardReading | undefined;
}
