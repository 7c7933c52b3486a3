import { meanOf, pointOf, SECONDS_KEPT_MS } from '../../src/contracts/api/live-points';
import { withPoint, withTen } from '../../src/ui/model/history';
import { statusWith } from './status';

const reading = (atMs: number, accepted: number, cuts = {}) => ({
  atMs,
  status: statusWith({ counters: { accepted }, cuts }),
});

test('A rate is what a counter grew by, per second between two readings.', () => {
  expect(pointOf(reading(3000, 50), reading(1000, 10)).accepted).toBe(20);
});

test('Nothing is said of a rate after the first reading, after a gap, and when a counter fell.', () => {
  expect(pointOf(reading(1000, 5), undefined).accepted).toBeNull();
  expect(pointOf(reading(30_000, 50), reading(1000, 10)).accepted).toBeNull();
  expect(pointOf(reading(2000, 5), reading(1000, 10)).accepted).toBeNull();
});

test('The fill is of the batches that left between two readings, and unknown when none did.', () => {
  const before = reading(1000, 0, { places: 10, records: 10 });
  expect(pointOf(reading(2000, 0, { places: 20, records: 15 }), before).fill).toBe(0.5);
  expect(pointOf(reading(2000, 0, { places: 10, records: 10 }), before).fill).toBeNull();
});

test('Points are kept for a quarter of an hour, in order.', () => {
  const old = pointOf(reading(1000, 0), undefined);
  const late = pointOf(reading(1000 + SECONDS_KEPT_MS, 0), undefined);
  expect(withPoint([old], late)).toEqual([late]);
  const next = pointOf(reading(2000, 0), undefined);
  expect(withPoint([old], next)).toEqual([old, next]);
});

test('A mean leaves out what is not known, and is null when nothing is.', () => {
  const first = pointOf(reading(1000, 0), undefined);
  const second = pointOf(reading(2000, 8), reading(1000, 0));
  expect(meanOf([first, second], 'accepted', 10_000)).toBe(8);
  expect(meanOf([first], 'accepted', 10_000)).toBeNull();
});

test('Ten seconds become one point when they are over: means of rates, the greatest of ages.', () => {
  const points = [
    pointOf(reading(10_000, 0), undefined),
    pointOf(reading(11_000, 4), reading(10_000, 0)),
    pointOf(reading(12_000, 12), reading(11_000, 4)),
  ];
  const oldest = points.map((point, i) => ({ ...point, oldestAgeMs: 100 - i }));
  expect(withTen([], oldest.slice(0, 2), points[2] ?? points[0]!)).toEqual([]);
  const next = pointOf(reading(20_000, 20), reading(12_000, 12));
  expect(withTen([], oldest, next)).toMatchObject([{ atMs: 12_000, accepted: 6, oldestAgeMs: 100 }]);
});
