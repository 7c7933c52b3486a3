/*
 * What workers have reported of their store, and whether batches are held back for it.
 *
 *   works ──► a worker reports that its store is away ──► held back: nothing starts
 *   held back ──► it reports that the store is back, or nothing for STORE_NOTICE.lapsesMs (it may be gone) ──► works
 *   held back ──► a batch closes all the same ──► works for WORKS_FOR_MS, whatever that worker reports
 *   held back ──► nothing has started for a while, longer each time (TRIALS_MS) ──► one batch starts
 *
 * The last two are for a worker that alone can't reach the store, and for a record that alone brings it down: its batch
 * waits, the others go on.
 */
import type { PackedNotice } from '../../../src/contracts/workflow/batcher';
import type { StoreStatus } from '../../../src/contracts/workflow/batcher-status';
import {
  MAX_REASON_BYTES,
  MAX_WORKER_BYTES,
  STORE_NOTICE,
  type StoreAway,
  type StoreNotice,
} from '../../../src/contracts/workflow/store-notice';
import { MINUTE, SECOND } from '../../../src/domain/duration';
import { isObject } from '../../../src/domain/json';
import { cutToBytes } from '../../../src/domain/records/outcome';

/** Maximum number of workers with unavailable stores; further notices say nothing new. */
const MAX_WORKERS = 10;

/** For how long a batch that closed shows that the store works. */
const WORKS_FOR_MS = 2 * MINUTE;

/** Time between two trials: half of the outage so far, within these bounds. */
const TRIALS_MS = { least: 15 * SECOND, most: 5 * MINUTE } as const;

export class StoreNotices {
  /** By worker. */
  private readonly notices: Map<string, PackedNotice>;
  private lastClosedAtMs = 0;

  constructor(carried: readonly PackedNotice[] = []) {
    this.notices = new Map(carried.map((notice) => [notice.worker, notice]));
  }

  pack(): PackedNotice[] {
    return [...this.notices.values()];
  }

  note({ worker, away }: StoreNotice, nowMs: number): void {
    for (const [other, { untilMs }] of this.notices) if (untilMs <= nowMs) this.notices.delete(other);
    const known = this.notices.get(worker);
    if (away === null) {
      this.notices.delete(worker);
      return;
    }
    if (known === undefined && this.notices.size >= MAX_WORKERS) return;
    this.notices.set(worker, {
      worker,
      // Clocks of workers may be anywhere; a renewal changes nothing.
      sinceMs: known?.sinceMs ?? Math.min(away.sinceMs, nowMs),
      // Control characters take six bytes each in JSON.
      reason: cutToBytes(away.reason, MAX_REASON_BYTES).replaceAll(/\p{Cc}/gu, ' '),
      notedAtMs: known?.notedAtMs ?? nowMs,
      untilMs: nowMs + STORE_NOTICE.lapsesMs,
    });
  }

  /** Records that a batch has closed. */
  noteClosed(nowMs: number): void {
    this.lastClosedAtMs = nowMs;
  }

  /** Since when and why the store is unavailable, as far as is known; null while it works. */
  status(nowMs: number): StoreStatus | null {
    const current = this.current(nowMs);
    const first = current.reduce<PackedNotice | undefined>(
      (oldest, notice) => (oldest === undefined || notice.sinceMs < oldest.sinceMs ? notice : oldest),
      undefined,
    );
    if (first === undefined) return null;
    const { sinceMs, reason } = first;
    return { sinceMs, reason, workers: current.length, holdsBack: this.holdsBack(nowMs) };
  }

  /** Whether batches are held back, except for one now and then. */
  holdsBack(nowMs: number): boolean {
    const current = this.current(nowMs);
    if (current.length === 0) return false;
    const notedAtMs = Math.min(...current.map((notice) => notice.notedAtMs));
    return this.lastClosedAtMs <= notedAtMs || nowMs >= this.lastClosedAtMs + WORKS_FOR_MS;
  }

  /**
   * When a batch may start if there is no further notice, in milliseconds since the epoch; a time in the past if none
   * is held back.
   * @param lastStartedAtMs when the last batch started
   */
  mayStartFromMs(nowMs: number, lastStartedAtMs: number): number {
    if (!this.holdsBack(nowMs)) return nowMs;
    const current = this.current(nowMs);
    const lapseAtMs = Math.max(...current.map(({ untilMs }) => untilMs));
    const notedAtMs = Math.min(...current.map((notice) => notice.notedAtMs));
    const lastAtMs = Math.max(notedAtMs, lastStartedAtMs);
    const pauseMs = Math.max(TRIALS_MS.least, Math.min((lastAtMs - notedAtMs) / 2, TRIALS_MS.most));
    return Math.min(lapseAtMs, Math.ceil(lastAtMs + pauseMs));
  }

  private current(nowMs: number): PackedNotice[] {
    return [...this.notices.values()].filter(({ untilMs }) => nowMs < untilMs);
  }
}

type Unknown<T> = { [Key in keyof T]?: unknown };

/** Whether a message is a notice: anything can be sent with Temporal's own tools. */
export function isStoreNotice(input: unknown): input is StoreNotice {
  if (!isObject(input)) return false;
  const { worker, away }: Unknown<StoreNotice> = input;
  if (typeof worker !== 'string' || worker.length === 0 || worker.length > MAX_WORKER_BYTES) return false;
  if (away === null) return true;
  if (!isObject(away)) return false;
  const { sinceMs, reason }: Unknown<StoreAway> = away;
  return (
    typeof sinceMs === 'number' && Number.isFinite(sinceMs) && sinceMs >= 0 && typeof reason === 'string'
  );
}
