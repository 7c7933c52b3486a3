import type { BufferedRecord } from '../buffer/buffer';
import { MAX_PACED_VALUES, type Pace, type PacedValues } from './pace';

/** How the rate per value lets a waiting record go. */
export const STANDING = {
  /** It may go. */
  free: 'free',
  /** Its value's bucket has something for it, but is being filled until it has enough for a batch. */
  gathers: 'gathers',
  /** Its value's bucket has nothing for it. */
  held: 'held',
} as const;
export type Standing = (typeof STANDING)[keyof typeof STANDING];

/** What is known of one value among the waiting records. */
interface Value {
  /** How many of them have it. */
  waiting: number;
  /** How many its bucket lets go at the moment; 0 where there is no room for the bucket. */
  available: number;
  /** How many it has to let go together: fewer than that it keeps, unless no more wait. */
  atOnce: number;
  /** How many have been looked at. */
  seen: number;
}

/**
 * Which of the waiting records the rate per value lets go, at a time.
 *
 * The oldest of a value go first, as many as its bucket lets go. A bucket that has been emptied is used again once it has
 * enough for a whole batch, or for all that wait for it: otherwise each would start by itself, as soon as it may. That
 * takes a second at most. Records of one value never wait for the bucket of another.
 */
export class Standings {
  private readonly values = new Map<string, Value>();
  private readonly notFree = new Map<BufferedRecord, { standing: Standing; key: string; place: number }>();
  private isOutOfRoom = false;
  private readonly paced: PacedValues | undefined;

  /** @param waiting all of them, the oldest first */
  constructor(
    waiting: readonly BufferedRecord[],
    { values }: Pace,
    private readonly nowMs: number,
  ) {
    this.paced = values;
    if (values !== undefined) this.look(waiting, values);
  }

  of(record: BufferedRecord): Standing {
    return this.notFree.get(record)?.standing ?? STANDING.free;
  }

  /** How many may not go. */
  get held(): number {
    return this.notFree.size;
  }

  /** When a record that may not go may do so at the earliest, in milliseconds since the epoch; undefined for others. */
  fromMs(record: BufferedRecord): number | undefined {
    const found = this.notFree.get(record);
    const value = found && this.values.get(found.key);
    if (found === undefined || value === undefined || this.paced === undefined) return undefined;
    return this.paced.buckets.availableFromMs(found.key, Math.max(found.place, value.atOnce));
  }

  /** When another record may go, if nothing starts or arrives before, at the earliest; undefined for never. */
  nextChangeAtMs(): number | undefined {
    if (this.paced === undefined || this.notFree.size === 0) return undefined;
    const { buckets } = this.paced;
    let nextMs = (this.isOutOfRoom ? buckets.nextFullAtMs(this.nowMs) : undefined) ?? Infinity;
    for (const [key, { waiting, available, atOnce }] of this.values) {
      const isOpen = available >= atOnce;
      if (isOpen && available >= Math.min(waiting, buckets.most)) continue;
      const atMs = buckets.availableFromMs(key, isOpen ? available + 1 : atOnce);
      // What has something for them already waits for room.
      if (atMs > this.nowMs) nextMs = Math.min(nextMs, atMs);
    }
    return nextMs === Infinity ? undefined : nextMs;
  }

  private look(waiting: readonly BufferedRecord[], paced: PacedValues): void {
    const { buckets } = paced;
    for (const record of waiting) {
      const key = paced.keyOf(record);
      if (key === undefined) continue;
      const value = this.values.get(key);
      if (value !== undefined) value.waiting++;
      else this.values.set(key, { waiting: 1, available: 0, atOnce: 0, seen: 0 });
    }
    let room = MAX_PACED_VALUES - buckets.count(this.nowMs);
    for (const record of waiting) {
      const key = paced.keyOf(record);
      const value = key === undefined ? undefined : this.values.get(key);
      if (key === undefined || value === undefined) continue;
      if (value.seen === 0) {
        value.available = buckets.available(key, this.nowMs);
        value.atOnce = Math.min(buckets.chunk, value.waiting);
        if (buckets.isFull(key, this.nowMs) && room-- <= 0) this.isOutOfRoom = true;
      }
      const place = ++value.seen;
      const standing = this.standingAt(place, value);
      if (standing !== STANDING.free) this.notFree.set(record, { standing, key, place });
    }
  }

  private standingAt(place: number, { available, atOnce }: Value): Standing {
    if (this.isOutOfRoom || place > available) return STANDING.held;
    return available < atOnce ? STANDING.gathers : STANDING.free;
  }
}
