import type { Point } from '../../contracts/api/answers/live';
import type { LiveHistory } from '../../contracts/api/live';
import type { HistoryChoice } from '../../contracts/api/states';
import { mergePoints, SECONDS_KEPT_MS } from '../../contracts/api/live-points';
import { HOUR, SECOND } from '../../domain/duration';

const TENS_KEPT_MS = 6 * HOUR;
const TEN_MS = 10 * SECOND;

/** A point and the number of its picture. */
interface Kept {
  seq: number;
  point: Point;
}

/**
 * The points of this process's pictures: one per second for 15 minutes and one per ten seconds for 6 hours, at most
 * 3,060. While there are no viewers, there is only one picture every ten seconds.
 */
export class LiveMemory {
  private seconds: Kept[] = [];
  private tens: Kept[] = [];
  /** Points that will be merged into the next point of ten seconds. */
  private open: [Point, ...Point[]] | undefined;

  constructor(private readonly sinceMs: number) {}

  add(seq: number, point: Point): void {
    this.seconds = [...keptSince(this.seconds, point.atMs - SECONDS_KEPT_MS), { seq, point }];
    const [first] = this.open ?? [];
    if (
      this.open !== undefined &&
      first !== undefined &&
      Math.floor(first.atMs / TEN_MS) !== Math.floor(point.atMs / TEN_MS)
    ) {
      const merged = { seq: seq - 1, point: mergePoints(this.open) };
      this.tens = [...keptSince(this.tens, point.atMs - TENS_KEPT_MS), merged];
      this.open = undefined;
    }
    if (this.open === undefined) this.open = [point];
    else this.open.push(point);
  }

  /** @param afterSeq only what came later, for whoever has the rest already */
  read(choice: HistoryChoice, afterSeq = -1): LiveHistory {
    const later = (kept: readonly Kept[]) =>
      kept.flatMap(({ seq, point }) => (seq > afterSeq ? [point] : []));
    return {
      sinceMs: this.sinceMs,
      seconds: choice === 'none' ? [] : later(this.seconds),
      tens: choice === 'hours' ? later(this.tens) : [],
    };
  }
}

function keptSince(kept: Kept[], sinceMs: number): Kept[] {
  const first = kept.findIndex(({ point }) => point.atMs > sinceMs);
  return first === -1 ? [] : kept.slice(first);
}
