import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isKeepapartError } from '../../src/domain/errors';
import type { SaveAttempt } from '../../src/domain/records/record-store';
import { closeTogether, rollBackTogether, saveTogether } from '../../src/domain/records/record-store';
import { storeAway, type SaveOutcome } from '../../src/store';
import { memorySaver, savingHarness } from '../helpers/store-subjects';
import { BATCH, BATCH_FILE, record, rolledBack, saved } from '../helpers/store-folders';
import { waitFor } from '../helpers/wait-for';

const FIVE = [1, 2, 3, 4, 5].map((i) => record(i));
const attempt = (number = 1, signal = new AbortController().signal): SaveAttempt => ({
  number,
  signal,
  isFirst: number === 1,
});

function outcomesOf(results: readonly PromiseSettledResult<void>[] = []) {
  return results.map((result) => {
    if (result.status === 'fulfilled') return 'saved';
    const { code, message, retryAfterMs } = result.reason as {
      code: string;
      message: string;
      retryAfterMs?: number;
    };
    return { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  });
}

describe('A store around code that saves batches', () => {
  test("A saving store calls its code once for all records of a batch, in bulk and one by one, with the attempt's number.", async () => {
    const { saver, calls } = memorySaver();
    const { worker } = await savingHarness(saver, { maxBatchSize: 5 });
    const store = worker();
    await saveTogether(store, [{ batch: BATCH, records: FIVE }], attempt());
    const other = { ...BATCH, batchId: 'batcher-0-00000002' };
    await Promise.all(FIVE.map((one) => store.save(one, other, attempt(2))));
    const ids = FIVE.map(({ recordId }) => recordId);
    expect(calls).toEqual([
      { name: 'saveBatch', ids, attempt: 1 },
      { name: 'saveBatch', ids, attempt: 2 },
    ]);
  });

  test('A saving store does not wait long for the rest of a batch.', async () => {
    const { saver, calls } = memorySaver();
    const { worker } = await savingHarness(saver, { maxBatchSize: 5 });
    await worker().save(FIVE[0]!, BATCH, attempt());
    expect(calls).toHaveLength(1);
  });

  test('A saving store turns each outcome into what it says: saved, retried after a while, or refused for good.', async () => {
    const outcomes: SaveOutcome[] = [
      'saved',
      { outcome: 'retry', reason: 'busy', afterMs: 1500 },
      { outcome: 'rejected', reason: 'too odd' },
      'retry',
      { outcome: 'saved' },
    ];
    const { worker, folders } = await savingHarness({ saveBatch: () => outcomes });
    const store = worker();
    const [results] = await saveTogether(store, [{ batch: BATCH, records: FIVE }], attempt());
    expect(outcomesOf(results)).toEqual([
      'saved',
      { code: 'save-failed', message: 'busy', retryAfterMs: 1500 },
      { code: 'record-rejected', message: 'too odd' },
      { code: 'save-failed', message: 'the store requests another attempt' },
      'saved',
    ]);
    const settled = FIVE.map((one, i) => (i === 0 || i === 4 ? saved(one) : rolledBack(one)));
    await closeTogether(store, [{ batch: BATCH, records: settled }], 'text');
    expect(readFileSync(join(folders.outDir, BATCH_FILE), 'utf8')).toBe(
      '"save [1] success"\n"save [2] failed, roll back"\n"save [3] failed, roll back"\n"save [4] failed, roll back"\n"save [5] success"\n',
    );
  });

  test.each<[given: unknown, message: string]>([
    [undefined, 'saveBatch: expected a list of 5 outcomes, one for each record; received nothing'],
    [['saved'], 'received 1 outcomes: ["saved"] (array)'],
    [[true, true, true, true, true], 'outcome 0: expected "saved", "retry", "rejected", or an object'],
    [Array(5).fill({ outcome: 'retry', afterMs: -1 }), 'outcome 0: expected'],
  ])('takes the answer %j for a failed attempt, and says what it expected', async (given, message) => {
    const { worker } = await savingHarness({ saveBatch: () => given as SaveOutcome[] });
    const [results] = await saveTogether(worker(), [{ batch: BATCH, records: FIVE }], attempt());
    expect(outcomesOf(results)).toEqual(
      Array(5).fill({ code: 'save-failed', message: expect.stringContaining(message) }),
    );
  });

  test("An error of a saving store's code fails only the records of its batch, and keeps its stack (G9).", async () => {
    const { worker, errors } = await savingHarness({
      saveBatch(records, { batchId }) {
        if (batchId === BATCH.batchId) throw new TypeError('undefined is not a column');
        return records.map(() => 'saved');
      },
    });
    const other = { ...BATCH, batchId: 'batcher-0-00000002' };
    const results = await saveTogether(
      worker(),
      [BATCH, other].map((batch) => ({ batch, records: FIVE.slice(0, 1) })),
      attempt(),
    );
    expect(results.map(outcomesOf)).toEqual([
      [{ code: 'save-failed', message: 'saveBatch: undefined is not a column' }],
      ['saved'],
    ]);
    expect(errors).toMatchObject([
      { name: 'TypeError', stack: expect.stringContaining('saving-store.test.ts') },
    ]);
  });

  test.each<[what: string, error: () => Error]>([
    ['a connection that is refused', () => Object.assign(new Error('no'), { code: 'ECONNREFUSED' })],
    [
      'a fetch that failed for that',
      () =>
        new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) }),
    ],
    ['its own word', () => storeAway('under repair', { retryAfterMs: 7 })],
  ])('takes %s for a store that is away', async (_, error) => {
    const { worker, errors } = await savingHarness({
      saveBatch: () => {
        throw error();
      },
    });
    const [results = []] = await saveTogether(worker(), [{ batch: BATCH, records: FIVE }], attempt());
    expect(
      results.map(
        (result) => result.status === 'rejected' && isKeepapartError(result.reason) && result.reason.code,
      ),
    ).toEqual(Array(5).fill('store-away'));
    expect(errors).toEqual([]);
  });

  test('A saving store gives up a call that takes too long or that nobody waits for, and aborts its signal.', async () => {
    const signals: AbortSignal[] = [];
    const saver = {
      saveBatch: (_: unknown, { signal }: { signal: AbortSignal }) => {
        signals.push(signal);
        return new Promise<never>(() => undefined);
      },
    };
    const { worker } = await savingHarness(saver, { timeoutMs: 100 });
    const [late] = await saveTogether(worker(), [{ batch: BATCH, records: FIVE.slice(0, 1) }], attempt());
    expect(outcomesOf(late)).toEqual([
      { code: 'save-failed', message: 'saveBatch did not return within 0.1 s (STORE_TIMEOUT_MS)' },
    ]);
    const cancel = new AbortController();
    const { worker: patient } = await savingHarness(saver);
    const saving = saveTogether(
      patient(),
      [{ batch: BATCH, records: FIVE.slice(0, 1) }],
      attempt(1, cancel.signal),
    );
    await waitFor('the call to have begun', () => Promise.resolve(signals.length === 2));
    cancel.abort();
    expect(outcomesOf((await saving)[0])).toEqual([
      { code: 'save-failed', message: 'saveBatch was cancelled' },
    ]);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  test('A saving store never exceeds its maximum of concurrent calls.', async () => {
    let [running, most] = [0, 0];
    const { worker } = await savingHarness(
      {
        async saveBatch(records) {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          return records.map(() => 'saved');
        },
      },
      { callsAtOnce: 3 },
    );
    const batches = Array.from({ length: 10 }, (_, i) => ({
      batch: { ...BATCH, batchId: `batcher-0-${i + 10}` },
      records: [record(i)],
    }));
    await saveTogether(worker(), batches, attempt());
    expect(most).toBe(3);
  });

  test('A saving store does not call its code again for records that an attempt saved whose result was lost.', async () => {
    const { saver, calls } = memorySaver();
    const { worker } = await savingHarness(saver);
    await saveTogether(worker(), [{ batch: BATCH, records: FIVE.slice(0, 2) }], attempt());
    const repeated = { ...attempt(), isFirst: false };
    await saveTogether(worker(), [{ batch: BATCH, records: FIVE.slice(0, 3) }], repeated);
    expect(calls.map(({ ids }) => ids)).toEqual([['request:1', 'request:2'], ['request:3']]);
  });

  test('A saving store undoes records one by one when undoing them together fails, so that one costs only itself (G9).', async () => {
    const undone: string[][] = [];
    const { worker } = await savingHarness({
      saveBatch: (records) => records.map(() => 'saved'),
      undo(records) {
        undone.push(records.map(({ recordId }) => recordId));
        if (records.some(({ recordId }) => recordId === 'request:2')) throw new Error('locked');
      },
    });
    const [results] = await rollBackTogether(worker(), [{ batch: BATCH, records: FIVE.slice(0, 3) }]);
    expect(outcomesOf(results)).toEqual([
      'saved',
      { code: 'store-failed', message: 'undo: locked' },
      'saved',
    ]);
    expect(undone).toEqual([
      ['request:1', 'request:2', 'request:3'],
      ['request:1'],
      ['request:2'],
      ['request:3'],
    ]);
  });

  test('A saving store closes a batch although the undo of a late record fails, but waits for an unavailable store.', async () => {
    let failure: Error | undefined = storeAway('down');
    const { worker } = await savingHarness({
      saveBatch: (records) => records.map(() => 'saved'),
      undo() {
        if (failure !== undefined) throw failure;
      },
    });
    const store = worker();
    await store.save(record(1), BATCH, attempt());
    const close = () => store.closeBatch(BATCH, [rolledBack(record(1))], 'json');
    await expect(close()).rejects.toMatchObject({ code: 'store-away' });
    failure = new Error('locked');
    await expect(close()).resolves.toEqual({ location: BATCH_FILE });
  });
});
