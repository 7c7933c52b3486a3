import type { Point } from '../../src/contracts/api/answers/live';
import { pointOf } from '../../src/contracts/api/live-points';
import { nearestTo, niceAbove, pathOf, scaleOf } from '../../src/ui/model/plot-shape';
import { statusWith } from './status';

const AREA = { width: 60, height: 100 };
const at = (second: number, buffered: number): Point => ({
  ...pointOf({ atMs: second * 1000, status: statusWith() }, undefined),
  buffered,
});
const buffered = (point: Point) => (point.buffered < 0 ? null : point.buffered);

test('The upper edge of a plot is the next round figure.', () => {
  expect([0, 0.3, 1, 3, 7, 2400].map(niceAbove)).toEqual([1, 0.5, 1, 5, 10, 2500]);
});

test('A plot spans a minute at least, and a quarter of an hour at most.', () => {
  expect(scaleOf([at(100, 1), at(110, 1)], [buffered], AREA)).toMatchObject({
    fromMs: 50_000,
    toMs: 110_000,
  });
  const long = scaleOf([at(0, 1), at(2000, 1)], [buffered], AREA);
  expect(long.toMs - long.fromMs).toBe(900_000);
});

test('A line breaks where a value is not known.', () => {
  const points = [at(0, 10), at(20, 5), at(40, -1), at(60, 10)];
  expect(pathOf(points, buffered, scaleOf(points, [buffered], AREA))).toBe('M0 0L20 50M60 0m-2 0h4');
});

test('An area goes down to its floor and is closed.', () => {
  const points = [at(0, 10), at(60, 10)];
  expect(pathOf(points, buffered, scaleOf(points, [buffered], AREA), 100)).toBe('M0 0L60 0V100H0Z');
});

test('Of many points on one pixel the greatest is drawn, so that no peak is lost.', () => {
  const points = [at(0, 1), at(0.1, 10), at(0.2, 2), at(60, 1)];
  expect(pathOf(points, buffered, scaleOf(points, [buffered], AREA))).toBe('M0 0L60 90');
});

test('The cursor finds the nearest point.', () => {
  const points = [at(0, 1), at(30, 1), at(60, 1)];
  expect(nearestTo(points, 40, scaleOf(points, [buffered], AREA))).toBe(1);
});
