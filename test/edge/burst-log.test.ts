import { oncePerBurst } from '../../src/edge/burst-log';

const TEN_SECONDS = 10_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('What happens by the thousand is reported at once, and then once in ten seconds with how often it was.', () => {
  const reports: number[] = [];
  const note = oncePerBurst((times) => reports.push(times));
  for (let i = 0; i < 1000; i++) note();
  expect(reports).toEqual([1]);
  jest.advanceTimersByTime(TEN_SECONDS);
  expect(reports).toEqual([1, 999]);
  for (let i = 0; i < 5; i++) note();
  expect(reports).toEqual([1, 999]);
  jest.advanceTimersByTime(TEN_SECONDS);
  expect(reports).toEqual([1, 999, 5]);
});

test('A burst that is over is not reported again, and the next one is reported at once.', () => {
  const reports: number[] = [];
  const note = oncePerBurst((times) => reports.push(times));
  note();
  jest.advanceTimersByTime(3 * TEN_SECONDS);
  expect(reports).toEqual([1]);
  note();
  expect(reports).toEqual([1, 1]);
});
