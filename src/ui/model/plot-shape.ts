import type { Point } from '../../contracts/api/answers/live';
import { SECONDS_KEPT_MS } from '../../contracts/api/live-points';

/** Of the picture, in pixels. */
export interface PlotArea {
  width: number;
  height: number;
}

/** What time and values come to in the picture. */
export interface PlotScale {
  fromMs: number;
  toMs: number;
  /** At the upper edge; the lower one is 0. */
  most: number;
  x: (atMs: number) => number;
  y: (value: number) => number;
}

/** Shorter than that, a plot would be mostly empty. */
const LEAST_SPAN_MS = 60_000;

/** The scale on which all of these values fit, with round figures at its ticks. @param mostMs the longest that it spans */
export function scaleOf(
  points: readonly Point[],
  values: readonly ((point: Point) => number | null)[],
  { width, height }: PlotArea,
  mostMs = SECONDS_KEPT_MS,
): PlotScale {
  const toMs = points.at(-1)?.atMs ?? 0;
  const fromMs = Math.max(Math.min(points[0]?.atMs ?? toMs, toMs - LEAST_SPAN_MS), toMs - mostMs);
  let greatest = 0;
  for (const point of points) for (const value of values) greatest = Math.max(greatest, value(point) ?? 0);
  const most = niceAbove(greatest);
  return {
    fromMs,
    toMs,
    most,
    x: (atMs) => ((atMs - fromMs) / (toMs - fromMs)) * width,
    y: (value) => height - (value / most) * height,
  };
}

/** The least of 1, 2, 2.5, 5 × 10ⁿ that is not below a value; 1 for nothing. */
export function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5].find((step) => step * power >= value) ?? 10) * power;
}

/**
 * A line through points, as the `d` of an SVG path: broken where a value isn't known, and with at most one point a pixel,
 * the greatest, so that no peak is lost. With `floor`, each stretch goes down to it and is closed: an area.
 */
export function pathOf(
  points: readonly Point[],
  value: (point: Point) => number | null,
  { x, y }: PlotScale,
  floor?: number,
): string {
  const stretches: [x: number, y: number][][] = [];
  let stretch: [x: number, y: number][] | undefined;
  for (const point of points) {
    const known = value(point);
    if (known === null) {
      stretch = undefined;
      continue;
    }
    const [px, py] = [Math.round(x(point.atMs)), Math.round(y(known) * 10) / 10];
    if (stretch === undefined) stretches.push((stretch = []));
    const last = stretch.at(-1);
    if (last?.[0] === px) last[1] = Math.min(last[1], py);
    else stretch.push([px, py]);
  }
  return stretches
    .map((each) => {
      const line = `M${each.map((place) => place.join(' ')).join('L')}`;
      // A single point would be too small to be seen.
      if (floor === undefined) return each.length === 1 ? `${line}m-2 0h4` : line;
      return `${line}V${floor}H${each[0]?.[0] ?? 0}Z`;
    })
    .join('');
}

/** The point that is nearest to a place in the picture, by its index. */
export function nearestTo(points: readonly Point[], px: number, { x }: PlotScale): number | undefined {
  let nearest: number | undefined;
  let least = Infinity;
  for (const [index, { atMs }] of points.entries()) {
    const distance = Math.abs(x(atMs) - px);
    if (distance < least) [nearest, least] = [index, distance];
  }
  return nearest;
}
