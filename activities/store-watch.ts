import { STORE_NOTICE, type StoreAway, type StoreNotice } from '../src/contracts/workflow/store-notice';
import { StoreGate, type StorePauses } from './store-gate';

/** What a worker does when its store becomes unavailable and when it works again. */
export interface StoreWatchDeps {
  /** Sends a notice to a batcher. Its errors are ignored: a notice is renewed, or expires. */
  notify: (batcherId: string, notice: StoreNotice) => Promise<void>;
  /** For the worker's log, once each. */
  onAway?: ((away: StoreAway) => void) | undefined;
  /** `isKnown` is false if nothing waits for the store any more, so nobody has found out. */
  onBack?: ((away: StoreAway, awayForMs: number, isKnown: boolean) => void) | undefined;
  pauses?: StorePauses | undefined;
}

/** Tracks whether a worker's store is unavailable, and which batchers know; owns the gates of its calls. One per process. */
export class StoreWatch {
  readonly saving: StoreGate;
  readonly undoing: StoreGate;
  readonly closing: StoreGate;
  private readonly worker = crypto.randomUUID();
  private readonly notified = new Set<string>();
  private away: StoreAway | undefined;
  private closed = 0;
  private renewing: NodeJS.Timeout | undefined;

  constructor(private readonly deps: StoreWatchDeps) {
    const events = {
      onAway: (away: StoreAway) => this.noteAway(away),
      onBack: (isKnown: boolean) => this.noteBack(isKnown),
    };
    this.saving = new StoreGate(events, deps.pauses);
    this.undoing = new StoreGate(events, deps.pauses);
    this.closing = new StoreGate(events, deps.pauses);
  }

  /** Notes that a batch of this batcher waits for the store. */
  noteWaiting(batcherId: string | undefined): void {
    if (batcherId === undefined || this.away === undefined || this.notified.has(batcherId)) return;
    this.notified.add(batcherId);
    this.notify(batcherId, this.away);
    if (this.renewing !== undefined) return;
    this.renewing = setInterval(() => this.notifyAll(), STORE_NOTICE.renewMs);
    this.renewing.unref();
  }

  private noteAway(away: StoreAway): void {
    this.closed++;
    if (this.away !== undefined) return;
    this.away = away;
    this.deps.onAway?.(away);
  }

  private noteBack(isKnown: boolean): void {
    this.closed--;
    const { away } = this;
    if (this.closed > 0 || away === undefined) return;
    this.away = undefined;
    clearInterval(this.renewing);
    this.renewing = undefined;
    this.notifyAll();
    this.notified.clear();
    this.deps.onBack?.(away, Date.now() - away.sinceMs, isKnown);
  }

  private notifyAll(): void {
    for (const batcherId of this.notified) this.notify(batcherId, this.away ?? null);
  }

  private notify(batcherId: string, away: StoreAway | null): void {
    this.deps.notify(batcherId, { worker: this.worker, away }).catch(() => undefined);
  }
}
