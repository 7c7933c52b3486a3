import type { ServerResponse } from 'node:http';
import type { Log } from '../../contracts/log';
import type { BatcherClient } from '../../contracts/batcher-client';
import type { LiveView } from '../../contracts/api/answers/live';
import { PICTURE_EVERY_MS, UNSEEN_EVERY_MS, type ProcessFigures } from '../../contracts/api/live';
import type { HistoryChoice } from '../../contracts/api/states';
import { packHistory, pointOf, type Reading } from '../../contracts/api/live-points';
import { LiveMemory } from './live-memory';

export interface LiveFeedDeps {
  batcher: Pick<BatcherClient, 'overview'>;
  /** What this process has measured since the last call. Default: nothing. */
  figures?: () => ProcessFigures;
  isDraining: () => boolean;
  logger: Log;
}

/** What a viewer asks for. */
export interface Wish {
  history: HistoryChoice;
  /** Id of the last event it received, if it was connected before. */
  lastId: string | undefined;
}

/** Sent when there is no picture, so that neither the viewer nor a proxy considers the connection dead. */
const HEARTBEAT = Buffer.from(':\n\n');

/**
 * Takes one picture a second, however many viewers there are, serializes it once, and sends it to all; while there are
 * none, one picture every ten seconds for the history. Stops when the last viewer leaves, unless {@link remember} was
 * called.
 */
export class LiveFeed {
  private readonly viewers = new Set<Viewer>();
  /** Distinguishes the event ids of this process from those of the previous one. */
  private readonly epoch = Date.now().toString(36);
  private readonly memory = new LiveMemory(Date.now());
  private seq = 0;
  private latest: { frame: Buffer; atMs: number } | undefined;
  private before: Reading | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isTaking = false;
  private isRemembering = false;

  constructor(private readonly deps: LiveFeedDeps) {}

  /** Number of viewers. */
  get size(): number {
    return this.viewers.size;
  }

  /**
   * Takes pictures even while there are no viewers.
   * @returns a function that ends it
   */
  remember(): () => void {
    this.isRemembering = true;
    this.takeIn(0);
    return () => {
      this.isRemembering = false;
      if (this.viewers.size === 0) clearTimeout(this.timer);
    };
  }

  /** Sends the requested history, the latest picture, and then each new one, until either side ends it. */
  join(res: ServerResponse, { history, lastId }: Wish): void {
    const viewer = new Viewer(res);
    if (history !== 'none') {
      const data = packHistory(this.memory.read(history, this.seqOf(lastId)));
      viewer.send(frameOf('history', this.idOf(this.seq), data));
    }
    const ageMs = this.latest === undefined ? Infinity : Date.now() - this.latest.atMs;
    if (this.latest !== undefined && ageMs < PICTURE_EVERY_MS) viewer.send(this.latest.frame);
    this.viewers.add(viewer);
    res.once('close', () => this.viewers.delete(viewer));
    this.takeIn(Math.max(0, PICTURE_EVERY_MS - ageMs));
  }

  private takeIn(ms: number): void {
    if (this.isTaking) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.takeAndSend(), ms).unref();
  }

  private async takeAndSend(): Promise<void> {
    this.isTaking = true;
    const begunAtMs = performance.now();
    let frame: Buffer = HEARTBEAT;
    try {
      frame = await this.take();
    } catch (error) {
      this.deps.logger.error({ err: error }, 'could not take a picture for the viewers of GET /v1/events');
    }
    this.isTaking = false;
    if (this.deps.isDraining()) for (const viewer of this.viewers) viewer.end();
    else for (const viewer of this.viewers) viewer.send(frame);
    const isSeen = this.viewers.size > 0;
    if (!isSeen && !this.isRemembering) return;
    const everyMs = isSeen ? PICTURE_EVERY_MS : UNSEEN_EVERY_MS;
    this.takeIn(Math.max(0, everyMs - (performance.now() - begunAtMs)));
  }

  private async take(): Promise<Buffer> {
    const overview = await this.deps.batcher.overview();
    const figures = this.deps.figures?.();
    const atMs = Date.now();
    const { status, waits } = overview;
    const reading = status === null ? undefined : { atMs, status };
    const point = reading === undefined ? null : pointOf(reading, this.before, waits, figures);
    this.before = reading ?? this.before;
    this.seq++;
    if (point !== null) this.memory.add(this.seq, point);
    const picture: LiveView = { ...overview, atMs, point };
    const frame = frameOf('picture', this.idOf(this.seq), picture);
    this.latest = { frame, atMs };
    return frame;
  }

  private idOf(seq: number): string {
    return `${this.epoch}-${seq}`;
  }

  /** The number in an id from this process; undefined for other ids. */
  private seqOf(id: string | undefined): number | undefined {
    const [epoch, seq] = id?.split('-') ?? [];
    return epoch === this.epoch && /^\d+$/.test(seq ?? '') ? Number(seq) : undefined;
  }
}

/**
 * One connection. A viewer that reads too slowly skips events: it then gets the latest one instead of all in between. A
 * connection that reads nothing for 30 s is cut like any other (see `listen.ts`).
 */
class Viewer {
  private skipped: Buffer | undefined;
  private isFull = false;

  constructor(private readonly res: ServerResponse) {}

  send(frame: Buffer): void {
    if (this.isFull) {
      this.skipped = frame;
      return;
    }
    if (this.res.write(frame)) return;
    this.isFull = true;
    this.res.once('drain', () => {
      this.isFull = false;
      const next = this.skipped;
      this.skipped = undefined;
      if (next !== undefined) this.send(next);
    });
  }

  end(): void {
    this.res.end();
  }
}

function frameOf(event: string, id: string, data: unknown): Buffer {
  return Buffer.from(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
}
