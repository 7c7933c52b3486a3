import { createPace } from '../../src/cli/commands/import/pace';
import { SECOND } from '../../src/domain/duration';

/** Takes in a point for each second from `from` on, at a steady pace; gives the last pace told. */
function goOn(
  pace: ReturnType<typeof createPace>,
  from: number,
  seconds: number,
  perSecond: number,
  start = 0,
) {
  let told: ReturnType<typeof pace.at>;
  for (let i = 0; i <= seconds; i++) {
    const records = start + i * perSecond;
    told = pace.at({ atMs: (from + i) * SECOND, records, share: records / 100_000 });
  }
  return told;
}

test('A steady pace is told with the time that is left.', () => {
  expect(goOn(createPace(), 0, 20, 1000)).toEqual({ recordsPerSecond: 1000, leftMs: 80 * SECOND });
});

test('Nothing is told of less than a second, and nothing is left where the whole is not known.', () => {
  const pace = createPace();
  expect(pace.at({ atMs: 0, records: 10, share: undefined })).toBeUndefined();
  expect(pace.at({ atMs: SECOND / 2, records: 20, share: undefined })).toBeUndefined();
  expect(pace.at({ atMs: SECOND, records: 30, share: undefined })).toEqual({
    recordsPerSecond: 20,
    leftMs: undefined,
  });
});

test('What passed by at once, as it was durable before a break, is left out of the pace.', () => {
  const pace = createPace();
  goOn(pace, 0, 1, 40_000);
  expect(goOn(pace, 2, 15, 1000, 40_000)).toEqual({ recordsPerSecond: 1000, leftMs: 45 * SECOND });
});

test('A try that repeats has its own pace.', () => {
  const pace = createPace();
  goOn(pace, 0, 5, 10_000);
  expect(goOn(pace, 6, 2, 500)).toMatchObject({ recordsPerSecond: 500 });
});

test('Points further apart than the time that a pace is taken over still tell one.', () => {
  const pace = createPace();
  pace.at({ atMs: 0, records: 0, share: 0 });
  expect(pace.at({ atMs: 60 * SECOND, records: 6000, share: 0.5 })).toEqual({
    recordsPerSecond: 100,
    leftMs: 60 * SECOND,
  });
});
