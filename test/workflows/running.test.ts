import type { ConflictRule } from '../../src/domain/rules';
import { childIdOf } from '../../src/domain/records/batch';
import { HOUR, KIB } from '../../src/domain/duration';
import { RunningLog } from '../helpers/running-log';
import { savedValues } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** CONFLICT_SCOPE=running: what conflicts is never in flight at once, nor too soon after; the others go on beside it. */
const CONFLICTS: ConflictRule[] = [{ pair: [1, 2] }];
const APART_MS = 300;

let pipeline: TestPipeline;
let log: RunningLog;
/** Values whose saves fail until they are taken out. */
const failing = new Set<unknown>();
afterEach(() => {
  failing.clear();
  return pipeline.close();
});

async function start(options: Parameters<typeof startPipeline>[0] = {}): Promise<void> {
  pipeline = await startPipeline({
    ...options,
    settings: {
      conflicts: CONFLICTS,
      conflictScope: 'running',
      apartMs: APART_MS,
      flushIntervalMs: 20,
      maxBatchSize: 2,
      maxAttempts: 100,
      retryIntervalMs: 20,
      ...options.settings,
    },
  });
  log = new RunningLog(pipeline.store);
  pipeline.store.beforeSave = (record) => {
    log.begin(record);
    if (failing.has(record.value)) throw new Error('not yet');
  };
}

/** Has a record of this value in flight, for as long as it fails. */
async function keepInFlight(value: number): Promise<void> {
  failing.add(value);
  await pipeline.send([value]);
  await waitFor('the record to be tried', () => log.hasBegun(value));
}

const saved = (value: string) =>
  waitFor(`${value} to be saved`, () => savedValues(pipeline.store).includes(value));

test('A record waits for one in flight that it conflicts with, and APART_MS more; the others do not (G2, G7).', async () => {
  await start();
  await keepInFlight(1);
  await pipeline.send([2, 'first']);
  await saved('first');
  await pipeline.send(['second', 2]);
  await saved('second');
  await waitFor('the others to close', async () => (await pipeline.status()).inFlight === 1);
  expect(log.hasBegun(2)).toBe(false);
  expect(await pipeline.status()).toMatchObject({ bufferedRecords: 2 });
  failing.clear();
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual([1, 2, 2, 'first', 'second']);
  expect(log.tooClose(CONFLICTS, APART_MS)).toEqual([]);
});

test('What a record waits for is named: the batch in flight with its record and the rule, or the older record that goes first.', async () => {
  await start();
  await keepInFlight(1);
  const [requestId = ''] = await pipeline.send([2, 1]);
  const [inFlight] = (await pipeline.batcher.batches({ state: 'running', limit: 9 })).batches;
  const view = await waitFor('both waits', async () => {
    const now = await pipeline.batcher.request(requestId);
    return now?.records.every(({ waitsFor }) => waitsFor?.heldBy !== undefined) === true && now;
  });
  const rule = CONFLICTS[0];
  const [first, second] = view.records.map(({ waitsFor }) => waitsFor);
  expect(first?.heldBy).toEqual({
    rule,
    batchId: inFlight?.batchId,
    recordId: expect.stringMatching(/^.+:0$/),
  });
  expect(first?.text).toContain(`batch ${inFlight?.batchId} to close: it conflicts with record`);
  expect(second?.heldBy).toEqual({ rule, recordId: `${requestId}:0` });
  failing.clear();
  await pipeline.quiet();
});

test('So it does across continue-as-new and a restart of the worker (G2).', async () => {
  await start({ worker: 'own', limits: { historyEvents: 4000, historyBytes: 1e9, messages: 4 } });
  await keepInFlight(1);
  await pipeline.send([2]);
  await pipeline.stopWorker();
  for (let i = 0; i < 4; i++) await pipeline.batcher.flush('test');
  await pipeline.startWorker();
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  await pipeline.send(['free']);
  await saved('free');
  expect(log.hasBegun(2)).toBe(false);
  failing.clear();
  await waitFor('the first to end', () => savedValues(pipeline.store).includes(1));
  for (let i = 0; i < 4; i++) await pipeline.batcher.flush('test');
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual([1, 2, 'free']);
  expect(log.tooClose(CONFLICTS, APART_MS)).toEqual([]);
});

test('A batch that is terminated by hand holds on until it is settled (G2, G4).', async () => {
  await start({ settings: { maxAttempts: 1, retryIntervalMs: HOUR } });
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const { beforeSave } = pipeline.store;
  pipeline.store.beforeSave = (record, attempt) => {
    void beforeSave(record, attempt);
    return record.value === 1 ? released : undefined;
  };
  await pipeline.send([1]);
  await waitFor('the record to be tried', () => log.hasBegun(1));
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  let settling = false;
  pipeline.store.beforeRollback = () => {
    settling = true;
    return settled;
  };
  await pipeline.client.workflow.getHandle(childIdOf(pipeline.batcherWorkflowId, 1)).terminate('test');
  await waitFor('the settling', () => settling);
  await pipeline.send([2, 'free']);
  // The batcher has looked at both.
  await saved('free');
  await waitFor('it to close', async () => (await pipeline.status()).inFlight === 1);
  expect(log.hasBegun(2)).toBe(false);
  settle();
  await waitFor('2 to be saved', () => savedValues(pipeline.store).includes(2));
  await pipeline.quiet();
  release();
  expect(pipeline.store.outcomes().map(({ value, outcome }) => [value, outcome])).toEqual([
    ['free', 'saved'],
    [1, 'rolled_back'],
    [2, 'saved'],
  ]);
});

test('After a change of rules, what they touch waits for all that is in flight (G2).', async () => {
  await start();
  await keepInFlight(3);
  await pipeline.batcher.changeLimits({ conflicts: [{ pair: [3, 4] }] }, 'test');
  await pipeline.send([4, 'free', 1]);
  await saved('free');
  expect(log.hasBegun(4)).toBe(false);
  failing.clear();
  await pipeline.quiet();
  expect(log.tooClose([{ pair: [3, 4] }], APART_MS)).toEqual([]);
});

test('A batcher that starts anew keeps apart what the one before it, which was terminated, has in flight (G2).', async () => {
  await start();
  await keepInFlight(1);
  await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('by hand');
  await pipeline.send([2, 'free']);
  await saved('free');
  await waitFor('only 1 to be in flight', async () => (await pipeline.status()).inFlight === 1);
  expect(await pipeline.status()).toMatchObject({ bufferedRecords: 1 });
  expect(log.hasBegun(2)).toBe(false);
  failing.clear();
  await waitFor('2 to be saved', () => savedValues(pipeline.store).includes(2));
  expect(log.tooClose(CONFLICTS, APART_MS)).toEqual([]);
  expect((await pipeline.quiet()).counters).toMatchObject({ accepted: 3, saved: 3 });
});

test('Behind records that are held up others are looked for in the next page (G7).', async () => {
  await start({ limits: { historyEvents: 4000, historyBytes: 448 * KIB, messages: 6 } });
  await keepInFlight(1);
  await pipeline.batcher.pause('test');
  await pipeline.send(Array.from({ length: 60_000 }, () => 2));
  await pipeline.send(['free']);
  for (let i = 0; i < 2; i++) await pipeline.batcher.flush('test');
  await waitFor('a page', async () => (await pipeline.status()).pages > 0);
  await pipeline.batcher.resume('test');
  await saved('free');
  expect(log.hasBegun(2)).toBe(false);
});

test.each(['record', 'batch', 'auto'] as const)(
  'whatever arrives, through runs that last eight messages, with SAVE_ACTIVITY=%s (G2, G4)',
  async (saveActivity) => {
    const conflicts: ConflictRule[] = [{ pair: ['a', 'b'], at: '/k' }, { distinct: '/id' }];
    await start({
      settings: { conflicts, apartMs: 20, saveActivity },
      limits: { historyEvents: 4000, historyBytes: 1e9, messages: 8 },
    });
    pipeline.store.beforeSave = (record, attempt) => {
      log.begin(record);
      if (attempt === 1 && JSON.stringify(record.value).includes('5')) throw new Error('not at first');
    };
    const kinds = ['a', 'b', 'c', 'd', 'e'];
    for (let list = 0; list < 24; list++) {
      const values = Array.from({ length: 4 }, (_, i) => {
        const n = 4 * list + i;
        return { k: kinds[(n * n + list) % kinds.length] ?? '', id: (n * 7) % 40, n };
      });
      await pipeline.send(values);
    }
    const { run } = await pipeline.quiet();
    expect(run.continuedAsNew).toBeGreaterThan(0);
    expect(savedValues(pipeline.store)).toHaveLength(96);
    expect(log.tooClose(conflicts, 20)).toEqual([]);
  },
);
