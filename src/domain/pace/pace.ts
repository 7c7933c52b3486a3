import type { BufferedRecord } from '../buffer/buffer';
import { fnv1a } from '../fnv1a';
import { canonicalJson, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';
import { Buckets, type PackedBuckets, type Rate } from './buckets';
import type { PaceLimits } from './pace-limits';

/**
 * Most values whose bucket isn't full, as each takes up to 16 bytes of the carried state. While there are as many, records
 * of further values wait until a bucket is full, and younger records of every value wait behind them.
 */
export const MAX_PACED_VALUES = 500;

/** The key of the one bucket of all records. */
const ALL = '';

/** What is carried to the next run. */
export interface PackedPace {
  overall?: PackedBuckets;
  values?: PackedBuckets;
}

/** Where buckets come from that aren't new. */
interface Source {
  overall?: (rate: Rate) => Buckets | undefined;
  values?: (rate: Rate) => Buckets | undefined;
}

/** The rate per value, with the bucket of each. */
export class PacedValues {
  private readonly tokens: readonly string[];
  private readonly known = new WeakMap<object, string | null>();

  constructor(
    readonly at: string,
    readonly buckets: Buckets,
  ) {
    this.tokens = parseJsonPointer(at);
  }

  /**
   * Names the bucket of a record; undefined where the rate doesn't apply. It is a digest of the value: of 4 · 10^9 pairs
   * of values, one shares a bucket. Then both are slower than they have to be, never faster.
   */
  keyOf(record: { value: JsonValue }): string | undefined {
    let key = this.known.get(record);
    if (key === undefined) {
      const value = valueAt(record.value, this.tokens);
      key = value === undefined ? null : fnv1a(canonicalJson(value)).toString(36);
      this.known.set(record, key);
    }
    return key ?? undefined;
  }
}

/**
 * How many records may start now by `MAX_SAVES_PER_SECOND`: a token bucket for all records, and one for each value. A
 * record is counted once, when the batch with it leaves the buffer; see docs/decisions/0031-pace.md.
 */
export class Pace {
  private constructor(
    private readonly overall: Buckets | undefined,
    readonly values: PacedValues | undefined,
  ) {}

  /**
   * Puts limits in force for the first time, with full buckets.
   *
   * @returns null where there is no limit
   */
  static under(limits: PaceLimits, maxBatchSize: number, source: Source = {}): Pace | null {
    const { overall, perValue } = limits;
    if (overall === undefined && perValue === undefined) return null;
    const batchSize = Math.min(maxBatchSize, overall ?? Infinity);
    const buckets = (perSecond: number, from: Source[keyof Source]): Buckets => {
      const rate = { perSecond, chunk: Math.min(batchSize, perSecond) };
      return from?.(rate) ?? new Buckets(rate);
    };
    return new Pace(
      overall === undefined ? undefined : buckets(overall, source.overall),
      perValue && new PacedValues(perValue.at, buckets(perValue.perSecond, source.values)),
    );
  }

  /** Puts other limits in force. Buckets keep what they hold; those of another pointer are full. */
  changedTo(limits: PaceLimits, maxBatchSize: number, nowMs: number): Pace | null {
    const { overall, values } = this;
    return Pace.under(limits, maxBatchSize, {
      overall: (rate) => overall?.withRate(rate, nowMs),
      values: (rate) =>
        values?.at === limits.perValue?.at ? values?.buckets.withRate(rate, nowMs) : undefined,
    });
  }

  /** A batch must not be larger than this, so that it can ever start. */
  get batchSize(): number {
    return this.overall?.chunk ?? Infinity;
  }

  /** How many records may start, whatever their values. */
  room(nowMs: number): number {
    return this.overall?.available(ALL, nowMs) ?? Infinity;
  }

  /** From when on this many records may start whatever their values, in milliseconds since the epoch; -Infinity without a limit. */
  roomFromMs(records: number): number {
    return this.overall?.availableFromMs(ALL, records) ?? -Infinity;
  }

  /** Counts records that start. */
  start(records: readonly BufferedRecord[], nowMs: number): void {
    if (records.length === 0) return;
    this.overall?.take(new Map([[ALL, records.length]]), nowMs);
    if (this.values === undefined) return;
    const counts = new Map<string, number>();
    for (const record of records) {
      const key = this.values.keyOf(record);
      if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    this.values.buckets.take(counts, nowMs);
  }

  pack(): PackedPace {
    return {
      ...(this.overall && { overall: this.overall.pack() }),
      ...(this.values && { values: this.values.buckets.pack() }),
    };
  }

  /** @param packed of a run under the same limits */
  static unpack(packed: PackedPace, limits: PaceLimits, maxBatchSize: number): Pace | null {
    const { overall, values } = packed;
    return Pace.under(limits, maxBatchSize, {
      overall: (rate) => overall && Buckets.unpack(overall, rate),
      values: (rate) => values && Buckets.unpack(values, rate),
    });
  }
}
