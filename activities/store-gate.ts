import type { StoreAway } from '../src/contracts/workflow/store-notice';
import { MINUTE, SECOND } from '../src/domain/duration';
import { isStoreAway } from '../src/domain/records/store-away';
import { isKeepapartError } from '../src/domain/errors';
import { isFinal, reasonOf } from './failure';

/** How long a store that is away is left alone before it is asked again: at first, and at most; doubled each time. */
export interface StorePauses {
  firstMs: number;
  longestMs: number;
}

export const STORE_PAUSES: StorePauses = { firstMs: 1 * SECOND, longestMs: 30 * SECOND };

/** No store is left alone for longer, whatever it asks for. */
const LONGEST_ASKED_MS = 10 * MINUTE;

/** How often a call may find the store away while others succeed; after that it is the call that fails. */
const MAX_ALONE = 3;

/** Waits until `released`, as the one whose call is held back does that. Rejects when it gives up. */
export type Wait = (away: StoreAway, released: Promise<void>) => Promise<void>;

/**
 * Makes a call of the store, and makes it again while the store is away. A call that does several things notes each that
 * succeeded, where it is away for others.
 */
export type Pass = <T>(call: (noteSuccess: () => void) => Promise<T>) => Promise<T>;

export interface GateEvents {
  onAway: (away: StoreAway) => void;
  /** @param isKnown false when nobody waits for the store any more, so that nobody finds out */
  onBack: (isKnown: boolean) => void;
}

/**
 * What the calls of a store go through, one gate for each kind of call: a store that can't save may still be able to
 * close.
 *
 *   open   ──► a call finds the store away ──► closed
 *   closed ──► a pause, growing: one of those who wait makes its call again ──► it succeeds ──► open, all go on
 *                                                                             └─► away: behind the others, next pause
 *
 * A call that finds the store away while others succeed, MAX_ALONE times, fails by itself: a record may be what makes a
 * server fall over, or too large for what a disk has left (G9). It is then an attempt that failed, as any other.
 */
export class StoreGate {
  private away: StoreAway | undefined;
  private pauseMs = 0;
  private nextCallAtMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private waiting: (() => void)[] = [];
  /** Calls that are being made or wait. */
  private inside = 0;
  private successes = 0;

  constructor(
    private readonly events: GateEvents,
    private readonly pauses: StorePauses = STORE_PAUSES,
  ) {}

  async pass<T>(call: (noteSuccess: () => void) => Promise<T>, wait: Wait): Promise<T> {
    const noteSuccess = () => {
      this.successes++;
    };
    let seen = this.successes;
    let alone = 0;
    this.inside++;
    try {
      for (;;) {
        if (this.away !== undefined) await this.turn(this.away, wait);
        const isProbe = this.away !== undefined;
        try {
          const result = await call(noteSuccess);
          noteSuccess();
          if (isProbe) this.open(true);
          return result;
        } catch (error) {
          if (!isStoreAway(error)) {
            // What a store refuses, it has looked at.
            if (isProbe && isFinal(error)) this.open(true);
            throw error;
          }
          if (this.successes > seen) alone++;
          seen = this.successes;
          if (alone >= MAX_ALONE) throw error;
          this.close(error, isProbe);
        }
      }
    } finally {
      this.inside--;
      // Without anybody who asks again it would stay closed for ever.
      if (this.inside === 0) this.open(false);
    }
  }

  private close(error: unknown, isProbe: boolean): void {
    const isFirst = this.away === undefined;
    if (isFirst) {
      this.away = { sinceMs: Date.now(), reason: reasonOf(error) };
      this.events.onAway(this.away);
    }
    // Calls that were under way when the store went find it away all at once: that is one failure.
    if (!isFirst && !isProbe) return;
    this.pauseMs = isFirst ? this.pauses.firstMs : Math.min(2 * this.pauseMs, this.pauses.longestMs);
    this.nextCallAtMs = Date.now() + Math.max(this.pauseMs, askedPauseMs(error));
    clearTimeout(this.timer);
    this.timer = undefined;
    this.schedule();
  }

  private open(isKnown: boolean): void {
    if (this.away === undefined) return;
    this.away = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
    const released = this.waiting;
    this.waiting = [];
    for (const release of released) release();
    this.events.onBack(isKnown);
  }

  private async turn(away: StoreAway, wait: Wait): Promise<void> {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.waiting.push(release);
    this.schedule();
    try {
      await wait(away, released);
    } finally {
      this.waiting = this.waiting.filter((other) => other !== release);
      if (this.waiting.length === 0) {
        clearTimeout(this.timer);
        this.timer = undefined;
      }
    }
  }

  /** Lets the next one go when it is time, and the one behind it if nothing comes of that. */
  private schedule(): void {
    if (this.timer !== undefined || this.waiting.length === 0) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.nextCallAtMs = Date.now() + this.pauses.longestMs;
        this.waiting.shift()?.();
        this.schedule();
      },
      Math.max(0, this.nextCallAtMs - Date.now()),
    );
  }
}

/** What a store that is away has asked for, in milliseconds; 0 where it hasn't. */
function askedPauseMs(error: unknown): number {
  const askedMs = isKeepapartError(error) ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(askedMs, LONGEST_ASKED_MS);
}
