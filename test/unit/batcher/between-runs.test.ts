import { CHILD_CLOSING } from '../../../src/contracts/workflow/activities';
import type { BatcherInput, CarriedState } from '../../../src/contracts/workflow/batcher';
import { drainSignal, pauseSignal, resumeSignal, statusQuery } from '../../../src/contracts/workflow/batcher';
import { childIdOf } from '../../../src/domain/records/batch';
import {
  inOrder,
  packedBytesBound,
  unpackBuffer,
  type PackedBuffer,
} from '../../../src/domain/buffer/buffer';
import { KIB } from '../../../src/domain/duration';
import { MAX_CARRIED_HEAD_BYTES, MAX_CARRIED_TAIL_BYTES } from '../../../src/domain/buffer/paged-buffer';
import { FakeBatcherRun } from '../../helpers/fake-batcher-run';

jest.mock('@temporalio/workflow', () => jest.requireActual('../../helpers/fake-workflow').workflowApi());

/** What happens exactly while one run hands over to the next. */
const LARGE = 'x'.repeat(4 * KIB);
const MESSAGES = 40;

const carriedIn = ({ carried }: BatcherInput): CarriedState => {
  if (carried === undefined) throw new Error('nothing was carried');
  return carried;
};

const valuesIn = (packed: PackedBuffer) =>
  inOrder(unpackBuffer(packed)).map(({ value }) => JSON.stringify(value).slice(1, 9));

/** Ends a paused run with a buffer of so many large records, of which some are in pages then; the pages and the next input. */
async function withPages(records: number): Promise<{ next: BatcherInput; pages: Map<string, PackedBuffer> }> {
  const run = await FakeBatcherRun.first({}, { messages: MESSAGES });
  await run.task(() => {
    run.signal(pauseSignal);
    for (let i = 0; i < records; i++) run.add(`${String(i).padStart(3, '0')} ${LARGE}`);
  });
  await run.task(() => run.flush(MESSAGES));
  const pages = new Map(run.children.map(({ name, input }) => [name, input as PackedBuffer]));
  await run.startAll();
  return { next: run.carried, pages };
}

test('A page that is read while its run hands over stays where it is, and the next run takes it in (G4, G7).', async () => {
  const { next, pages } = await withPages(60);
  const [[pageId, page]] = [...pages] as [[string, PackedBuffer]];
  const run = await FakeBatcherRun.begin(next);
  await run.task(() => run.signal(resumeSignal));
  await run.task(() => run.start(childIdOf('batcher-0', 1)));
  const reading = run.take('readPage');
  expect(reading.input).toEqual({ pageId });
  // Further batches are being started, so that the run can't end before they have.
  await run.task(() => run.flush(MESSAGES));
  await run.task(() => reading.resolve(page));
  expect(run.continuedWith).toBeUndefined();
  await run.startAll();
  expect(carriedIn(run.carried).pages.map((ref) => ref.pageId)).toEqual([...pages.keys()]);
  expect(run.signals).toEqual([]);

  const later = await FakeBatcherRun.begin(run.carried);
  expect(later.take('readPage').input).toEqual({ pageId });
});

test('A run ends only when the server has confirmed each batch that it started, and hands them all over (G4).', async () => {
  const run = await FakeBatcherRun.first({ maxBatchSize: 1 }, { messages: MESSAGES });
  await run.task(() => run.add('first'));
  await run.task(() => run.start(childIdOf('batcher-0', 1)));
  await run.task(() => run.add('second', 'third'));
  await run.task(() => run.flush(MESSAGES));
  await run.task(() => run.start(childIdOf('batcher-0', 2)));
  expect(run.continuedWith).toBeUndefined();
  await run.startAll();
  expect(carriedIn(run.carried).inFlight.map(({ childId }) => childId)).toEqual(
    [1, 2, 3].map((seq) => childIdOf('batcher-0', seq)),
  );
});

test('Little that arrives while a run moves its buffer into pages is carried, and much makes further pages first (G6).', async () => {
  const run = await FakeBatcherRun.first({}, { messages: MESSAGES, lateBytes: 8 * KIB });
  await run.task(() => {
    run.signal(pauseSignal);
    for (let i = 0; i < 30; i++) run.add(LARGE);
  });
  await run.task(() => run.flush(MESSAGES));
  const [first] = run.children;
  await run.task(() => {
    for (let i = 0; i < 20; i++) run.add(`late ${LARGE}`);
  });
  await run.task(() => run.start(String(first?.name)));
  expect(run.continuedWith).toBeUndefined();
  const [second] = run.children;
  await run.task(() => run.add('late but little'));
  await run.task(() => run.start(String(second?.name)));
  const { buffer, tail, pages } = carriedIn(run.carried);
  expect(pages.map(({ records }) => records).reduce((sum, records) => sum + records, 0)).toBeGreaterThan(20);
  expect(valuesIn(tail)).toEqual(['late but']);
  expect(packedBytesBound(unpackBuffer(buffer))).toBeLessThanOrEqual(MAX_CARRIED_HEAD_BYTES);
  expect(packedBytesBound(unpackBuffer(tail))).toBeLessThanOrEqual(MAX_CARRIED_TAIL_BYTES + 8 * KIB);
});

test('A drain covers a batch that is being started when it is asked for, whichever id that gets (G4).', async () => {
  const run = await FakeBatcherRun.first();
  await run.task(() => {
    run.add('drained');
    run.signal(drainSignal);
  });
  // A child of an earlier batcher has the id, with records of its own.
  await run.task(() => run.refuseStart(childIdOf('batcher-0', 1)));
  await run.task(() =>
    run.take('readChild').resolve({ batches: 1, bulk: false, records: [['other', 0, 1]] }),
  );
  await run.startAll();
  expect(run.query(statusQuery)).toMatchObject({
    bufferedRecords: 0,
    drain: { bufferedRecords: 0, inFlight: 1 },
  });
});

test('While a batch goes from an id that is taken to the next one, its records are accounted for all the time (G4).', async () => {
  const run = await FakeBatcherRun.first({ maxBatchSize: 1 });
  await run.task(() => run.add('on its way'));
  await run.task(() => run.refuseStart(childIdOf('batcher-0', 1)));
  run.take('readChild').resolve({ batches: 1, bulk: false, records: [['other', 0, 1]] });
  const missing: number[] = [];
  for (let turn = 0; turn < 30; turn++) {
    await Promise.resolve();
    missing.push(run.query(statusQuery).unaccounted);
  }
  expect(new Set(missing)).toEqual(new Set([0]));
  expect(run.children.map(({ name }) => name)).toEqual([childIdOf('batcher-0', 2)]);
});

test('A child of before that has completed, and holds more than is buffered here, is adopted, and all that it reports counts as accepted (G4).', async () => {
  const run = await FakeBatcherRun.first({ maxBatchSize: 1 });
  await run.task(() => run.add('known'));
  await run.task(() => run.refuseStart(childIdOf('batcher-0', 1)));
  const records: [string, number, number][] = [
    ['r1', 0, 1],
    ['other', 0, 2],
  ];
  await run.task(() => run.take('readChild').resolve({ batches: 3, bulk: true, records }));
  const counted = { bufferedRecords: 0, unaccounted: 0, counters: { accepted: 3 } };
  expect(run.query(statusQuery)).toMatchObject({ ...counted, inFlightRecords: 3 });
  const closed = { status: CHILD_CLOSING.completed, batches: 3, saved: 2, rolledBack: 1, retries: 0 };
  await run.task(() => run.take('adoptChild').resolve(closed));
  expect(run.query(statusQuery)).toMatchObject({
    unaccounted: 0,
    inFlightRecords: 0,
    counters: { accepted: 3, saved: 2, rolledBack: 1 },
  });
  expect(run.errors).toEqual([]);
});

test('A batch that closed without completing holds on to what conflicts until it is settled (G2).', async () => {
  const run = await FakeBatcherRun.first({
    conflictScope: 'running',
    conflicts: [{ pair: [1, 2] }],
    maxBatchSize: 1,
  });
  const [first, second] = [childIdOf('batcher-0', 1), childIdOf('batcher-0', 2)];
  await run.task(() => run.add(1));
  await run.task(() => run.start(first));
  await run.task(() => run.resultOf(first).reject(new Error('terminated')));
  const settling = run.take('restartChild');
  await run.task(() => run.add(2));
  await run.task(() => settling.resolve(true));
  expect(run.children).toEqual([]);
  const closed = { status: CHILD_CLOSING.completed, batches: 1, saved: 0, rolledBack: 1, retries: 0 };
  await run.task(() => run.take('adoptChild').resolve(closed));
  expect(run.children.map(({ name }) => name)).toEqual([second]);
  expect(run.query(statusQuery).counters).toMatchObject({
    batchesFailed: 1,
    batchesCompleted: 1,
    rolledBack: 1,
  });
});
