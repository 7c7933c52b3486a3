import type { StoreAway } from '../src/contracts/workflow/store-notice';
import { MINUTE, SECOND } from '../src/domain/duration';
import { isStoreAway } from '../src/domain/records/store-away';
import { isKeepapartError } from '../src/domain/errors';
import { isFinal, awayReasonOf } from './failure';

/** Pause before an unavailable store is tried again: the first one and the longest; doubled each time. */
export interface StorePauses {
  firstMs: number;
  longestMs: number;
}

export const STORE_PAUSES: StorePauses = { firstMs: 1 * SECOND, longestMs: 30 * SECOND };

/** Maximum pause that a store can ask for. */
const LONGEST_ASKED_MS = 10 * MINUTE;

/** How often a call may find the store unavailable while others succeed; then it counts as a failure of the call. */
const MAX_ALONE = 3;

/** Waits for `released` on behalf of one call. Rejects when it gives up. */
export type Wait = (away: StoreAway, released: Promise<void>) => Promise<void>;

/**
 * Makes a call of the store, and repeats it while the store is unavailable. A call for several records calls `noteSuccess`
 * for each that succeeded, in case the store is unavailable for others.
 */
export type Pass = <T>(call: (noteSuccess: () => void) => Promise<T>) => Promise<T>;

export interface GateEvents {
  onAway: (away: StoreAway) => void;
  /** @param isKnown false if nothing waits for the store any more, so nobody has found out */
  onBack: (isKnown: boolean) => void;
}

/**
 * A gate that the calls of a store go through. There is one for each kind of call, because a store that can't save may still
 * be able to close.
 *
 *   open   ──► a call finds the store unavailable ──► closed
 *   closed ──► after a growing pause, one waiting call is repeated ──► success ──► open, all continue
 *                                                                 └─► unavailable: back of the queue, next pause
 *
 * A call that finds the store unavailable while others succeed, MAX_ALONE times, fails: its record may be what crashes a
 * server, or too large for the remaining disk space (G9). It then counts as a failed attempt.
 */
export class StoreGate {
  private away: StoreAway | undefined;
  private pauseMs = 0;
  private nextCallAtMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private waiting: (() => void)[] = [];
  /** Calls that are running or waiting. */
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
            // The store answered, even if it refused.
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
      // With nobody left to try again, it would stay closed for ever.
      if (this.inside === 0) this.open(false);
    }
  }

  private close(error: unknown, isProbe: boolean): void {
    const isFirst = this.away === undefined;
    if (isFirst) {
      this.away = { sinceMs: Date.now(), reason: awayReasonOf(error) };
      this.events.onAway(this.away);
    }
    // All calls that were running when the store failed find it unavailable at once: that counts as one failure.
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

  /** Releases the next waiting call when it is due, and the one after it if nothing comes of that. */
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

/** The pause that an unavailable store asked for, in milliseconds; 0 if it didn't. */
function askedPauseMs(error: unknown): number {
  const askedMs = isKeepapartError(error) ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(askedMs, LONGEST_ASKED_MS);
}
