import type { StatusView } from '../../contracts/api/views';
import { MINUTE, SECOND } from '../../domain/duration';

/** A status, and when it arrived on this browser's clock, in milliseconds since the epoch. */
export interface Reading {
  atMs: number;
  status: StatusView;
}

/** What plots show of one moment. Rates are per second since the reading before; null where nobody knows. */
export interface Point {
  atMs: number;
  accepted: number | null;
  saved: number | null;
  rolledBack: number | null;
  retries: number | null;
  oldestAgeMs: number | null;
  buffered: number;
  inFlight: number;
  /** Records per place of the batches that left since the reading before, 0 to 1. */
  fill: number | null;
  /** Batches that left since then, and the fewest that could have. */
  batches: number | null;
  lowerBound: number | null;
}

/** As far back as plots go. */
export const KEPT_MS = 15 * MINUTE;

/** Further apart, two readings don't tell a rate: the page was hidden, or the connection was broken. */
const GAP_MS = 10 * SECOND;

/** The point for a reading that follows another one. Counters that fall (another `BATCHER_ID`, say) give no rates. */
export function pointOf({ atMs, status }: Reading, before: Reading | undefined): Point {
  const { total } = status;
  const now = {
    atMs,
    buffered: total.bufferedRecords,
    inFlight: total.inFlight,
    oldestAgeMs: total.oldestAgeMs ?? 0,
  };
  const seconds = before === undefined ? 0 : (atMs - before.atMs) / SECOND;
  if (before === undefined || seconds <= 0 || atMs - before.atMs > GAP_MS) return { ...now, ...UNKNOWN };
  const then = before.status.total;
  if (total.counters.accepted < then.counters.accepted) return { ...now, ...UNKNOWN };
  const rate = (counter: 'accepted' | 'saved' | 'rolledBack' | 'retries') =>
    Math.max(0, total.counters[counter] - then.counters[counter]) / seconds;
  const places = total.cuts.places - then.cuts.places;
  return {
    ...now,
    accepted: rate('accepted'),
    saved: rate('saved'),
    rolledBack: rate('rolledBack'),
    retries: rate('retries'),
    fill: places > 0 ? (total.cuts.records - then.cuts.records) / places : null,
    batches: total.cuts.batches - then.cuts.batches,
    lowerBound: total.cuts.lowerBound - then.cuts.lowerBound,
  };
}

const UNKNOWN = {
  accepted: null,
  saved: null,
  rolledBack: null,
  retries: null,
  fill: null,
  batches: null,
  lowerBound: null,
};

/** The points with one more, without those that are too old. */
export function withPoint(points: readonly Point[], point: Point): Point[] {
  const kept = points.filter(({ atMs }) => atMs > point.atMs - KEPT_MS && atMs < point.atMs);
  return [...kept, point];
}

/** Mean of what is known of the last so many milliseconds; null when nothing is. */
export function meanOf(
  points: readonly Point[],
  field: 'accepted' | 'saved' | 'rolledBack' | 'retries',
  overMs: number,
): number | null {
  const since = (points.at(-1)?.atMs ?? 0) - overMs;
  const known = points.flatMap((point) =>
    point.atMs > since && point[field] !== null ? [point[field]] : [],
  );
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
