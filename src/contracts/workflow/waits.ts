import type { ConflictRule } from '../../domain/rules';

/** What has to happen before the batch of a buffered record starts. The first that applies, in this order. */
export const WAITS_FOR = {
  /** The shard is paused. */
  resume: 'resume',
  /** Batches are cut from the head of the buffer, and the record is in a page or the tail. */
  olderRecords: 'older_records',
  /**
   * In scope `running`: the record conflicts with a batch in flight, with one that ended less than `APART_MS` ago, or with
   * an older record that waits for one of these.
   */
  conflict: 'conflict',
  /** The record's batch isn't full, and none of its records is due. */
  age: 'age',
  /**
   * The batch could start, but a worker reports that the store is unavailable. Also for a record whose batch has started:
   * its save or rollback, or the closing of its batch, waits for the store.
   */
  store: 'store',
  /** The batch could start, but `MAX_IN_FLIGHT` batches are in flight, or as many children as Temporal allows. */
  slot: 'slot',
  /** The batch could start, but the last batch started less than `BATCH_SPACING_MS` ago. */
  spacing: 'spacing',
  /**
   * `MAX_SAVES_PER_SECOND` doesn't let it start yet: the rate for its value, or, if its batch may go, the one for all
   * records.
   */
  pace: 'pace',
  /**
   * The batch could start, but waits up to a second to start with others, because two children that save in bulk are
   * busy.
   */
  gathering: 'gathering',
  /** Only the starts of older batches, which are under way. */
  start: 'start',
} as const;
export type WaitsFor = (typeof WAITS_FOR)[keyof typeof WAITS_FOR];

/** What keeps a record from starting in scope `running`. */
export interface HeldBy {
  /** The rule that keeps the two apart; absent if the batch started under other rules. */
  rule?: ConflictRule;
  /** Workflow id of the child in flight, or of the one that ended less than `APART_MS` ago, if it is known. */
  childId?: string;
  /** The older buffered record that goes first. */
  recordId?: string;
  /** Digest of the place of both records under the rule, to find the record in the child's batches. */
  place?: string;
}

/** What a buffered record waits for. */
export interface Wait {
  for: WaitsFor;
  /**
   * Milliseconds since the epoch. For `age` and `gathering` the latest time, for `spacing` and `pace` the earliest. For
   * `conflict`, when `APART_MS` is over, if that is what it waits for.
   */
  untilMs?: number;
  /** For `resume`: who paused the shard. */
  by?: string;
  /** For `conflict`: what the record conflicts with. */
  heldBy?: HeldBy;
  /** For `store`: since when it has been unavailable, in milliseconds since the epoch. */
  sinceMs?: number;
  /** For `store`: its error. */
  reason?: string;
  /** Rules that kept the record out of an earlier batch that had room or a younger record. */
  passedOverBy?: ConflictRule[];
  /** Rules that keep the record apart from an older buffered record, so that the two need two batches. */
  keptApartBy?: ConflictRule[];
}

/** What the buffered records of a request wait for. Most of them have the same wait, so each is listed once. */
export interface TracedWaits {
  distinct: Wait[];
  /**
   * For each element of `bufferedIndexes`, an index into `distinct`. Shorter than `bufferedIndexes` for very many
   * records.
   */
  of: number[];
  /** What the request's records in pages wait for. */
  inPages: Wait;
}

/** What all buffered records wait for. */
export interface BufferWaits {
  /**
   * Numbers of records by wait; they add up to all buffered records. Records after the first {@link MAX_LOOKED_AT} count
   * as waiting for older records. Times are the earliest of these records.
   */
  counts: (Omit<Wait, 'passedOverBy' | 'keptApartBy'> & { records: number })[];
  /**
   * For the first {@link MAX_LOOKED_AT} records: how many each rule kept out of an earlier batch, or apart from an
   * older record.
   */
  rules: { rule: ConflictRule; records: number }[];
}

/** For how many records, in the order in which they may leave, waits are determined one by one. */
export const MAX_LOOKED_AT = 1000;
