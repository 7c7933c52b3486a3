import { SECOND } from '../../../domain/duration';

/** Over how long a pace is taken. */
const WINDOW_MS = 10 * SECOND;

/** How far something is. */
export interface Point {
  atMs: number;
  records: number;
  /** Of the whole, from 0 to 1, where that is known. */
  share: number | undefined;
}

export interface Pace {
  recordsPerSecond: number;
  /** Until the whole is done; undefined where that isn't known. */
  leftMs: number | undefined;
}

/**
 * The pace of the last ten seconds. Of all the time it would say nothing where an import goes on after a break: what is
 * durable already passes by many times faster than what isn't.
 */
export function createPace() {
  let points: Point[] = [];
  return {
    /** Takes in how far it is now; undefined while that says too little. A count that goes down begins anew. */
    at(now: Point): Pace | undefined {
      if (now.records < (points.at(-1)?.records ?? 0)) points = [];
      points.push(now);
      const kept = points.findIndex(({ atMs }) => now.atMs - atMs <= WINDOW_MS);
      points = points.slice(Math.max(0, Math.min(kept, points.length - 2)));
      const [first = now] = points;
      const elapsedMs = now.atMs - first.atMs;
      if (elapsedMs < SECOND) return undefined;
      const share = (now.share ?? 0) - (first.share ?? 0);
      return {
        recordsPerSecond: (now.records - first.records) / (elapsedMs / SECOND),
        leftMs:
          now.share === undefined || share <= 0
            ? undefined
            : Math.round((elapsedMs * (1 - now.share)) / share),
      };
    },
  };
}
