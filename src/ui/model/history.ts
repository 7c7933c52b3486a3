import type { Point } from '../../contracts/api/answers/live';
import { mergePoints, SECONDS_KEPT_MS } from '../../contracts/api/live-points';
import { HOUR, SECOND } from '../../domain/duration';

const TENS_KEPT_MS = 6 * HOUR;
const TEN_MS = 10 * SECOND;

/** The points with one more, without those that are too old. */
export function withPoint(points: readonly Point[], point: Point, keptMs = SECONDS_KEPT_MS): Point[] {
  const kept = points.filter(({ atMs }) => atMs > point.atMs - keptMs && atMs < point.atMs);
  return [...kept, point];
}

/** The points of ten seconds with one more, if `next` is the first of the ten seconds behind the last of `points`. */
export function withTen(tens: readonly Point[], points: readonly Point[], next: Point): readonly Point[] {
  const tenOf = (point: Point) => Math.floor(point.atMs / TEN_MS);
  const last = points.at(-1);
  if (last === undefined || tenOf(last) === tenOf(next)) return tens;
  const [first, ...others] = points.filter((point) => tenOf(point) === tenOf(last));
  return first === undefined ? tens : withPoint(tens, mergePoints([first, ...others]), TENS_KEPT_MS);
}
