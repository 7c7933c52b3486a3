import type { ConflictRule } from '../../domain/rules';

/** What has to happen before the batch of a buffered record starts. The first that applies, in this order. */
export const WAITS_FOR = {
  /** Somebody has paused the shard. */
  resume: 'resume',
  /** It lies behind the part of the buffer that batches are cut from. */
  olderRecords: 'older_records',
  /**
   * In scope `running`: a batch in flight that holds what it conflicts with, one that ended less than `APART_MS` ago, or an
   * older record that waits for one.
   */
  conflict: 'conflict',
  /** Its batch may still be filled up: it goes when it is full, or when its oldest record is old enough. */
  age: 'age',
  /**
   * Its batch may go, but a worker reports that the store is away. Also of a record whose batch has started: its save, its
   * rollback or the file of its batch waits for the store.
   */
  store: 'store',
  /** Its batch may go, but as many are in flight as `MAX_IN_FLIGHT`, or Temporal's bound on children, allows. */
  slot: 'slot',
  /** Its batch may go, but another has started less than `BATCH_SPACING_MS` ago. */
  spacing: 'spacing',
  /**
   * `MAX_SAVES_PER_SECOND` doesn't let it start yet: the rate for its value, or, if its batch may go, the one for all
   * records.
   */
  pace: 'pace',
  /** Its batch may go, but two children that save in bulk are busy, for a second at most: it starts with many others. */
  gathering: 'gathering',
  /** Nothing but older batches whose start is under way. */
  start: 'start',
} as const;
export type WaitsFor = (typeof WAITS_FOR)[keyof typeof WAITS_FOR];

export interface Wait {
  for: WaitsFor;
  /** In milliseconds since the epoch: of `age` and `gathering` until when at the latest, of `spacing` and `pace` at the earliest. */
  untilMs?: number;
  /** Of `resume`: who has paused it. */
  by?: string;
  /** Of `store`: since when it is away, in milliseconds since the epoch, and why. */
  sinceMs?: number;
  reason?: string;
  /** Rules that kept it out of a batch which has left meanwhile, with room or with a younger record. */
  passedOverBy?: ConflictRule[];
  /** Rules that keep it apart from an older record that is buffered too, so that they go in two batches. */
  keptApartBy?: ConflictRule[];
}

/** What the buffered records of a request wait for; many of them for the same. */
export interface TracedWaits {
  distinct: Wait[];
  /** By place in `bufferedIndexes`, the place in `distinct`. Shorter than those where they are very many. */
  of: number[];
  /** What records in pages wait for. */
  inPages: Wait;
}

/** What the whole buffer waits for. */
export interface BufferWaits {
  /**
   * How many records wait for each; together all that are buffered. The first {@link MAX_LOOKED_AT} are looked at, those
   * behind them wait for older records. Times are the earliest of the records.
   */
  counts: (Omit<Wait, 'passedOverBy' | 'keptApartBy'> & { records: number })[];
  /** Rules that kept records out of a batch that has left, or apart from an older record; of those that were looked at. */
  rules: { rule: ConflictRule; records: number }[];
}

/** So many records of the buffer are looked at where it is told what they wait for, those that may go first before others. */
export const MAX_LOOKED_AT = 1000;
