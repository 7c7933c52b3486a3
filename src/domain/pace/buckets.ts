/*
 * Token buckets that share a rate and a clock, in whole numbers, so that they are exact however often they are packed and
 * unpacked.
 *
 * A bucket counts thousandths of a record. With a rate of r records per second it gains r thousandths each millisecond. It
 * is stored as what it lacks to be full: a full bucket is the same as none, and none is stored.
 *
 * Time advances in steps of PACE_STEP_MS. So nothing becomes possible between two steps, and one timer serves all buckets
 * that gain something in the meantime. In any t milliseconds at most r × (t + PACE_STEP_MS) thousandths are gained, and a
 * full bucket holds 1000 × chunk + r × (1000 - PACE_STEP_MS). Together:
 *
 *   In any t seconds at most r × t + r + chunk records start.
 */

/** Milliseconds; whoever waits for a bucket wakes up at a multiple of it. */
export const PACE_STEP_MS = 200;

/** Thousandths, and milliseconds of a second. */
const UNIT = 1000;

/** A rate, and how many records a bucket has to let go together. */
export interface Rate {
  /** Whole number from 1. */
  perSecond: number;
  /** Whole number from 1 to `perSecond`. */
  chunk: number;
}

/** What buckets lack, by their keys, at a time in milliseconds since the epoch. Plain JSON. */
export interface PackedBuckets {
  atMs: number;
  /** `key:lacking key:lacking`, in thousandths of a record, in base 36. */
  lacking: string;
}

export class Buckets {
  private lacking = new Map<string, number>();
  /** A multiple of the step. */
  private atMs = 0;

  constructor(private readonly rate: Rate) {}

  get perSecond(): number {
    return this.rate.perSecond;
  }

  get chunk(): number {
    return this.rate.chunk;
  }

  /** How many records a full bucket lets go. */
  get most(): number {
    return Math.floor(this.capacity / UNIT);
  }

  /** How many records a bucket lets go at a time. */
  available(key: string, nowMs: number): number {
    return Math.floor((this.capacity - this.lackingOf(key, nowMs)) / UNIT);
  }

  /**
   * From when on a bucket lets go this many records, at a step, in milliseconds since the epoch; in the past if it does
   * already. Of more than it can hold: when it will have let go that many, one after another.
   */
  availableFromMs(key: string, records: number): number {
    const lacking = this.lacking.get(key) ?? 0;
    const toGain = lacking - (this.capacity - records * UNIT);
    return toGain <= 0 ? this.atMs : stepFrom(this.atMs + Math.ceil(toGain / this.rate.perSecond));
  }

  /** How many buckets are not full. */
  count(nowMs: number): number {
    let count = 0;
    for (const key of this.lacking.keys()) if (this.lackingOf(key, nowMs) > 0) count++;
    return count;
  }

  /** Whether a bucket is full. */
  isFull(key: string, nowMs: number): boolean {
    return this.lackingOf(key, nowMs) === 0;
  }

  /** When the next bucket is full, at a step; undefined if all are. */
  nextFullAtMs(nowMs: number): number | undefined {
    let least = Infinity;
    for (const key of this.lacking.keys()) {
      const lacking = this.lackingOf(key, nowMs);
      if (lacking > 0) least = Math.min(least, lacking);
    }
    if (least === Infinity) return undefined;
    return stepFrom(this.timeOf(nowMs) + Math.ceil(least / this.rate.perSecond));
  }

  /** Takes records out of buckets. The caller has asked whether they are {@link available}. */
  take(records: ReadonlyMap<string, number>, nowMs: number): void {
    this.settle(nowMs);
    for (const [key, count] of records) this.lacking.set(key, (this.lacking.get(key) ?? 0) + count * UNIT);
  }

  /** The same buckets at another rate: they keep what they hold, as far as they can hold it. */
  withRate(rate: Rate, nowMs: number): Buckets {
    const changed = new Buckets(rate);
    changed.atMs = this.timeOf(nowMs);
    const grown = changed.capacity - this.capacity;
    for (const key of this.lacking.keys()) {
      const lacking = this.lackingOf(key, nowMs);
      if (lacking > 0 && lacking + grown > 0) changed.lacking.set(key, lacking + grown);
    }
    return changed;
  }

  pack(): PackedBuckets {
    const lacking = [...this.lacking].map(([key, units]) => `${key}:${units.toString(36)}`);
    return { atMs: this.atMs, lacking: lacking.join(' ') };
  }

  static unpack({ atMs, lacking }: PackedBuckets, rate: Rate): Buckets {
    const buckets = new Buckets(rate);
    buckets.atMs = atMs;
    for (const text of lacking === '' ? [] : lacking.split(' ')) {
      const [key = '', units = ''] = text.split(':');
      buckets.lacking.set(key, parseInt(units, 36));
    }
    return buckets;
  }

  private get capacity(): number {
    const { perSecond, chunk } = this.rate;
    return chunk * UNIT + perSecond * (UNIT - PACE_STEP_MS);
  }

  /** The clock of the buckets: it is never set back. */
  private timeOf(nowMs: number): number {
    return Math.max(this.atMs, nowMs - (nowMs % PACE_STEP_MS));
  }

  private lackingOf(key: string, nowMs: number): number {
    const lacking = this.lacking.get(key) ?? 0;
    return Math.max(0, lacking - this.rate.perSecond * (this.timeOf(nowMs) - this.atMs));
  }

  private settle(nowMs: number): void {
    const timeMs = this.timeOf(nowMs);
    const lacking = [...this.lacking.keys()].map((key) => [key, this.lackingOf(key, nowMs)] as const);
    this.lacking = new Map(lacking.filter(([, units]) => units > 0));
    this.atMs = timeMs;
  }
}

function stepFrom(timeMs: number): number {
  return Math.ceil(timeMs / PACE_STEP_MS) * PACE_STEP_MS;
}
