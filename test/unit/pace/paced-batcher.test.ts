import fc from 'fast-check';
import type { PipelineSettings } from '../../../src/contracts/workflow/settings';
import { conflicts, type ConflictRule } from '../../../src/domain/rules';
import type { JsonValue } from '../../../src/domain/json';
import { MAX_PACED_VALUES } from '../../../src/domain/pace/pace';
import { paceLimitsOf, type MaxSavesPerSecond } from '../../../src/domain/pace/pace-limits';
import { live, mostBeyond, type Arrival, type Lived, type StartedRecord } from '../../helpers/paced-world';

interface Of {
  tenant?: string;
  kind: number;
}

const START_MS = 1_000_000;

const anyPace: fc.Arbitrary<MaxSavesPerSecond> = fc
  .record({
    overall: fc.option(fc.integer({ min: 1, max: 40 })),
    perValue: fc.option(fc.integer({ min: 1, max: 12 })),
  })
  .map(({ overall, perValue }) => [
    ...(overall === null ? [] : [{ perSecond: overall }]),
    ...(perValue === null ? [] : [{ at: '/tenant', perSecond: perValue }]),
  ]);

const KINDS: ConflictRule[] = [{ pair: [1, 2], at: '/kind' }];

const anySettings: fc.Arbitrary<Partial<PipelineSettings>> = fc.record({
  maxSavesPerSecond: anyPace,
  conflicts: fc.constantFrom<ConflictRule[]>([], KINDS, [{ distinct: '/kind' }], [{ alike: '/tenant' }]),
  conflictScope: fc.constantFrom('file', 'running'),
  apartMs: fc.constantFrom(0, 150),
  maxBatchSize: fc.integer({ min: 1, max: 6 }),
  maxInFlight: fc.constantFrom(2, 50),
  batchSpacingMs: fc.constantFrom(0, 0, 0, 70),
  flushIntervalMs: fc.constantFrom(1, 30, 1000),
  saveActivity: fc.constantFrom('record', 'auto'),
});

const anyValue: fc.Arbitrary<JsonValue> = fc
  .record({
    tenant: fc.option(fc.constantFrom('a', 'a', 'a', 'b', 'c')),
    kind: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ tenant, kind }) => (tenant === null ? { kind } : { tenant, kind }));

const anyArrivals: fc.Arbitrary<Arrival[]> = fc
  .array(
    fc.record({ afterMs: fc.nat({ max: 900 }), values: fc.array(anyValue, { minLength: 1, maxLength: 25 }) }),
    { minLength: 1, maxLength: 8 },
  )
  .map((steps) => {
    let atMs = START_MS;
    return steps.map(({ afterMs, values }) => ({ atMs: (atMs += afterMs), values }));
  });

const anyCourse = fc.record({ batchMs: fc.constantFrom(5, 300), handOverEvery: fc.constantFrom(1, 3, 1000) });

const tenantOf = ({ value }: StartedRecord) => (value as unknown as Of).tenant;

/** How much faster than its rates something went; empty where nothing did. */
function tooFast({ started }: Lived, pace: MaxSavesPerSecond, maxBatchSize: number): string[] {
  const { overall, perValue } = paceLimitsOf(pace);
  const check = (name: string, perSecond: number, records: readonly StartedRecord[]): string[] => {
    const beyond = mostBeyond(
      records.map(({ startedAtMs }) => startedAtMs),
      perSecond,
    );
    return beyond <= perSecond + Math.min(maxBatchSize, perSecond) ? [] : [`${name}: ${beyond} beyond`];
  };
  return [
    ...(overall === undefined ? [] : check('all', overall, started)),
    ...(perValue === undefined ? [] : [...new Set(started.map(tenantOf))])
      .filter((tenant) => tenant !== undefined)
      .flatMap((tenant) =>
        check(
          tenant,
          perValue?.perSecond ?? 0,
          started.filter((record) => tenantOf(record) === tenant),
        ),
      ),
  ];
}

/** Records that a rule keeps apart and that share a batch, or run at the same time. */
function together({ started }: Lived, { conflicts: rules = [], conflictScope }: Partial<PipelineSettings>) {
  return started.flatMap((a, i) =>
    started
      .slice(0, i)
      .filter(
        (b) =>
          (a.batch === b.batch || (conflictScope === 'running' && b.endedAtMs > a.startedAtMs)) &&
          conflicts(a.value, b.value, rules),
      )
      .map((b) => [a.id, b.id]),
  );
}

test('Whatever arrives: no rate is exceeded, no conflict is broken, every record starts once and in time, across any number of runs.', () => {
  fc.assert(
    fc.property(anySettings, anyArrivals, anyCourse, (settings, arrivals, course) => {
      const lived = live(settings, arrivals, { ...course, untilMs: Infinity });
      const pace = settings.maxSavesPerSecond ?? 0;
      const { maxBatchSize = 5 } = settings;
      expect(tooFast(lived, pace, maxBatchSize)).toEqual([]);
      expect(together(lived, settings)).toEqual([]);
      expect(Math.max(...lived.batches.map(({ length }) => length))).toBeLessThanOrEqual(maxBatchSize);
      const records = arrivals.flatMap(({ values }, i) => values.map((_, index) => `r${i}:${index}`));
      expect(lived.started.map(({ id }) => id).sort()).toEqual(records.sort());
      // Each by itself, at the slowest rate, with all that a record can wait for besides.
      const { overall = Infinity, perValue } = paceLimitsOf(pace);
      const rate = Math.min(overall, perValue?.perSecond ?? Infinity);
      const eachMs = 1000 / rate + 200 + course.batchMs + 150 + 70;
      const lastMs = arrivals.at(-1)?.atMs ?? 0;
      expect(lived.endMs).toBeLessThanOrEqual(lastMs + 3000 + records.length * eachMs);
      // One timer for all values, and no more often than the clock of the buckets ticks.
      const seconds = (lived.endMs - START_MS) / 1000;
      expect(lived.idleWakes).toBeLessThanOrEqual(5 * seconds + records.length + arrivals.length);
    }),
    { numRuns: 150 },
  );
});

test('A value with more than its rate allows holds back no record of another: each of those starts when it is due.', () => {
  fc.assert(
    fc.property(
      fc.record({
        conflicts: fc.constantFrom<ConflictRule[]>([], KINDS, [{ alike: '/tenant' }]),
        maxBatchSize: fc.integer({ min: 1, max: 6 }),
        flushIntervalMs: fc.constantFrom(1, 30, 1000),
      }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.record({ afterMs: fc.nat({ max: 400 }), kind: fc.integer({ min: 1, max: 2 }) }), {
        minLength: 1,
        maxLength: 20,
      }),
      anyCourse,
      (settings, perSecond, others, course) => {
        let atMs = START_MS;
        const backlog = Array.from({ length: 60 }, (_, i) => ({ tenant: 'many', kind: 1 + (i % 2) }));
        const arrivals = others.map(({ afterMs, kind }, i) => ({
          atMs: (atMs += afterMs),
          values: [{ tenant: `other ${i}`, kind }],
        }));
        const { started } = live(
          { ...settings, maxInFlight: 1000, maxSavesPerSecond: [{ at: '/tenant', perSecond }] },
          [{ atMs: START_MS, values: backlog }, ...arrivals],
          { ...course, untilMs: atMs + 5000 },
        );
        const late = started
          .filter((record) => tenantOf(record) !== 'many')
          .filter((record) => record.startedAtMs > record.acceptedAtMs + settings.flushIntervalMs);
        expect(late).toEqual([]);
        expect(started.filter((record) => tenantOf(record) !== 'many')).toHaveLength(others.length);
      },
    ),
    { numRuns: 30 },
  );
});

test('With CONFLICT_SCOPE=running a record that its rate holds back keeps nobody else waiting, and is not passed over for ever once it may go.', () => {
  const aSide = Array.from({ length: 12 }, () => ({ tenant: 'a', kind: 1 }));
  const others = Array.from({ length: 400 }, (_, i) => ({
    atMs: START_MS + 50 * i,
    values: [{ tenant: `b${i}`, kind: 2 }],
  }));
  const { started } = live(
    {
      ...{ conflicts: KINDS, conflictScope: 'running', flushIntervalMs: 30, maxBatchSize: 5 },
      maxSavesPerSecond: [{ at: '/tenant', perSecond: 2 }],
    },
    [{ atMs: START_MS, values: aSide }, ...others],
    { batchMs: 300, handOverEvery: 7, untilMs: START_MS + 40_000 },
  );
  const ofA = started.filter((record) => tenantOf(record) === 'a');
  const ofOthers = started.filter((record) => tenantOf(record) !== 'a');
  expect([ofA.length, ofOthers.length]).toEqual([12, 400]);
  // A second for two of them, and two batches of the other side that end first.
  for (const [place, { startedAtMs }] of ofA.entries())
    expect(startedAtMs - START_MS).toBeLessThanOrEqual(1000 * Math.ceil((place + 1) / 2) + 2000);
  expect(Math.max(...ofOthers.map((record) => record.startedAtMs - record.acceptedAtMs))).toBeLessThan(2500);
});

test('However many values there are, no more than 500 buckets are kept, and every record starts, none faster than its rate.', () => {
  const values = Array.from({ length: 1600 }, (_, i) => ({ tenant: `t${i % 700}`, kind: i }));
  const settings = { flushIntervalMs: 1, maxBatchSize: 5, maxInFlight: 5000, conflicts: [] };
  const maxSavesPerSecond = [{ at: '/tenant', perSecond: 1 }];
  let most = 0;
  for (const untilMs of [START_MS, START_MS + 700, START_MS + 3000, Infinity]) {
    const lived = live({ ...settings, maxSavesPerSecond }, [{ atMs: START_MS, values }], {
      ...{ batchMs: 50, handOverEvery: 5 },
      untilMs,
    });
    most = Math.max(most, lived.state.pace?.pack().values?.lacking.split(' ').length ?? 0);
    expect(tooFast(lived, maxSavesPerSecond, 5)).toEqual([]);
    if (untilMs === Infinity) expect(lived.started).toHaveLength(1600);
  }
  expect(most).toBe(MAX_PACED_VALUES);
});
