import { closeBatches, rollBack, saveBatches } from '../../activities/bulk';
import { ROLLBACK_ATTEMPTS, type PackedBatches } from '../../src/contracts/workflow/activities';
import { MIB } from '../../src/domain/duration';
import { KeepapartError } from '../../src/domain/errors';
import { OUTCOME, type RecordOutcome } from '../../src/domain/records/outcome';
import { packKept, packOutcomes } from '../../src/domain/records/packed-batch';
import type { KeptRecord } from '../../src/domain/records/record';
import type { RecordStore } from '../../src/domain/records/record-store';
import type { Pass } from '../../activities/store-gate';
import { createMemoryStore } from '../helpers/memory-store';

const TWO = [
  { batchId: 'b-00000001.001', records: [kept(0), kept(1)] },
  { batchId: 'b-00000001.002', records: [kept(2), kept(3)] },
];

function kept(index: number): KeptRecord {
  return { recordId: `r:${index}`, value: index };
}

function packed(batches: { batchId: string; records: KeptRecord[] }[]): PackedBatches {
  return {
    openedAtMs: 0,
    batches: batches.map(({ batchId, records }) => ({ batchId, records: packKept(records) })),
  };
}

/** A store whose calls for single records fail for some of them. */
function failingFor(failures: Record<string, unknown>): RecordStore {
  const call = ({ recordId }: KeptRecord): Promise<void> =>
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a store may be that bad
    Object.hasOwn(failures, recordId) ? Promise.reject(failures[recordId]) : Promise.resolve();
  return { ...createMemoryStore(), save: call, rollback: call };
}

/** The store is never away here. */
const straight: Pass = (call) => call(() => undefined);

const done: PromiseSettledResult<void> = { status: 'fulfilled', value: undefined };

describe('An attempt to save the records of several batches', () => {
  test('lists the failed records by batch and record, and each reason once.', async () => {
    const store = failingFor({
      'r:0': new Error('full'),
      'r:2': new KeepapartError('record-rejected', 'too odd'),
      'r:3': new Error('full'),
    });
    const { failures, failed } = await saveBatches(store, packed(TWO), straight);
    expect(failures).toEqual([
      { message: 'full', refused: false },
      { message: 'too odd', refused: true },
    ]);
    expect(failed).toEqual([
      [0, 0, 0],
      [1, 0, 1],
      [1, 1, 0],
    ]);
  });

  test('returns when the store wants to be retried.', async () => {
    const busy = new KeepapartError('save-failed', 'busy', { retryAfterMs: 2500 });
    const { failures } = await saveBatches(failingFor({ 'r:1': busy }), packed(TWO), straight);
    expect(failures).toEqual([{ message: 'busy', refused: false, retryAfterMs: 2500 }]);
  });

  test("does not fail if the store's call fails: each record has failed.", async () => {
    const store = { ...createMemoryStore(), saveAll: () => Promise.reject(new Error('away')) };
    expect(await saveBatches(store, packed(TWO), straight)).toEqual({
      failures: [{ message: 'away', refused: false }],
      failed: [
        [0, 0, 0],
        [0, 1, 0],
        [1, 0, 0],
        [1, 1, 0],
      ],
    });
  });

  test('G4: treats records that the store does not report as not saved.', async () => {
    const store = { ...createMemoryStore(), saveAll: () => Promise.resolve([[done]]) };
    const { failures, failed } = await saveBatches(store, packed(TWO), straight);
    expect(failures).toEqual([{ message: 'the store reported too few results', refused: false }]);
    expect(failed.map(([batch, record]) => [batch, record])).toEqual([
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });

  test('measures the fastest save of a store that saves one by one, and nothing if it saves many in one call.', async () => {
    const { fastestMs } = await saveBatches(createMemoryStore(), packed(TWO), straight);
    expect(fastestMs).toBeGreaterThanOrEqual(0);
    const together = {
      ...createMemoryStore(),
      saveAll: () =>
        Promise.resolve([
          [done, done],
          [done, done],
        ]),
    };
    expect(await saveBatches(together, packed(TWO), straight)).toEqual({ failures: [], failed: [] });
    const none = failingFor({ 'r:0': new Error('no'), 'r:1': 1, 'r:2': 2, 'r:3': 3 });
    expect(await saveBatches(none, packed(TWO), straight)).not.toHaveProperty('fastestMs');
  });

  test('has a readable message if the store throws something other than an error.', async () => {
    const { failures } = await saveBatches(failingFor({ 'r:1': 'just a text' }), packed(TWO), straight);
    expect(failures).toEqual([{ message: 'just a text', refused: false }]);
  });
});

describe('A rollback of records of several batches', () => {
  test('fails while a rollback fails and attempts are left, regardless of permanently rejected ones.', async () => {
    const store = failingFor({
      'r:1': new KeepapartError('record-rejected', 'append only'),
      'r:2': new Error('away'),
    });
    for (const attempt of [1, ROLLBACK_ATTEMPTS - 1])
      await expect(rollBack(store, packed(TWO), straight, attempt)).rejects.toThrow('away');
  });

  test('returns, at the last attempt, the failed rollbacks by batch and record, and which were permanently rejected.', async () => {
    const store = failingFor({
      'r:1': new KeepapartError('record-rejected', 'append only'),
      'r:2': new Error('away'),
    });
    expect(await rollBack(store, packed(TWO), straight, ROLLBACK_ATTEMPTS)).toEqual({
      failures: [
        { attempts: 10, message: 'append only', refused: true },
        { attempts: 10, message: 'away', refused: false },
      ],
      failed: [
        [0, 1, 0],
        [1, 0, 1],
      ],
    });
  });

  test('is not retried for permanently rejected rollbacks.', async () => {
    const store = failingFor({ 'r:3': new KeepapartError('record-rejected', 'append only') });
    const { failures, failed } = await rollBack(store, packed(TWO), straight, 1);
    expect(failures).toEqual([{ attempts: 1, message: 'append only', refused: true }]);
    expect(failed).toEqual([[1, 1, 0]]);
  });

  test('G4: treats records that the store does not report as not rolled back.', async () => {
    const store = { ...createMemoryStore(), rollbackAll: () => Promise.resolve([[done]]) };
    await expect(rollBack(store, packed(TWO), straight, 1)).rejects.toThrow('too few results');
    const { failed } = await rollBack(store, packed(TWO), straight, ROLLBACK_ATTEMPTS);
    expect(failed).toHaveLength(3);
  });
});

describe('Closing several batches', () => {
  const outcomes = TWO.map(({ records }) =>
    records.map(({ recordId }): RecordOutcome => ({
      recordId,
      outcome: OUTCOME.saved,
      attempts: 1,
      atMs: 0,
    })),
  );

  /** A store that closes batches but for those that fail. */
  function closingBut(failures: Record<string, Error>) {
    const store = createMemoryStore();
    store.beforeClose = ({ batchId }) => {
      if (failures[batchId] !== undefined) throw failures[batchId];
    };
    return store;
  }

  const close = (store: RecordStore) => {
    const { kinds, of } = packOutcomes(outcomes);
    const { openedAtMs, batches } = packed(TWO);
    const input = batches.map((batch, i) => ({ ...batch, outcomes: of[i] ?? [] }));
    return closeBatches(store, { format: 'text', openedAtMs, batches: input, kinds }, straight);
  };
  const [first, second] = TWO.map(({ batchId }) => batchId) as [string, string];
  const rejected = new KeepapartError('batch-rejected', 'no such column');

  test('returns the location of each batch, and passes each batch with its own outcomes to the store.', async () => {
    const store = closingBut({});
    const { batches } = await close(store);
    expect(batches.map((one) => ('location' in one ? one.location : one))).toEqual([...store.files.keys()]);
    expect([...store.files.values()].map((file) => file.map(({ recordId }) => recordId))).toEqual([
      ['r:0', 'r:1'],
      ['r:2', 'r:3'],
    ]);
  });

  test('closes all batches that can be closed, and returns the failure or rejection of each other one.', async () => {
    expect((await close(closingBut({ [first]: new Error('away') }))).batches).toEqual([
      { failed: 'away' },
      { location: expect.stringContaining(second) },
    ]);
    expect((await close(closingBut({ [second]: rejected }))).batches).toEqual([
      { location: expect.stringContaining(first) },
      { refused: 'no such column' },
    ]);
    const both = closingBut({ [first]: new Error('away'), [second]: rejected });
    expect((await close(both)).batches).toEqual([{ failed: 'away' }, { refused: 'no such column' }]);
  });

  test('fails, to be retried, only if none was closed or permanently rejected.', async () => {
    const store = closingBut({ [first]: new Error('away'), [second]: new Error('gone') });
    await expect(close(store)).rejects.toThrow('away');
    expect(store.files.size).toBe(0);
  });

  test('treats batches that the store does not report as not closed.', async () => {
    const store = { ...createMemoryStore(), closeBatches: () => Promise.resolve([]) };
    await expect(close(store)).rejects.toThrow('too few results');
  });

  test('fails if outcomes are missing, instead of writing a shorter file.', async () => {
    const { kinds, of } = packOutcomes([[outcomes[0]![0]!]]);
    const [batch] = packed(TWO).batches;
    const input = {
      format: 'text' as const,
      openedAtMs: 0,
      batches: [{ ...batch!, outcomes: of[0]! }],
      kinds,
    };
    await expect(closeBatches(createMemoryStore(), input, straight)).rejects.toThrow('r:1 has no outcome');
  });
});

describe('G6: The size of a payload is bounded, whatever a store says, for', () => {
  const thousand = [{ batchId: 'b-00000001', records: Array.from({ length: 1000 }, (_, i) => kept(i)) }];
  /** Of the worst kind: control characters take six bytes each in JSON, and no two messages are the same. */
  const worst = Object.fromEntries(
    thousand[0]!.records.map(({ recordId }) => [
      recordId,
      new Error(`${recordId} ${'\u0001'.repeat(100_000)}`),
    ]),
  );
  const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

  test('a thousand records that fail to be saved, each with a different long error.', async () => {
    const result = await saveBatches(failingFor(worst), packed(thousand), straight);
    expect(result.failed).toHaveLength(1000);
    expect(size(result)).toBeLessThan(MIB / 2);
    // What tells them apart is kept.
    expect(new Set(result.failures.map(({ message }) => message)).size).toBe(1000);
  });

  test('a thousand rollbacks that fail permanently.', async () => {
    const result = await rollBack(failingFor(worst), packed(thousand), straight, ROLLBACK_ATTEMPTS);
    expect(size(result)).toBeLessThan(MIB / 2);
  });

  test('a thousand batches that can not be closed.', async () => {
    const store = createMemoryStore();
    store.beforeClose = ({ batchId }) => {
      if (batchId !== 'b-0') throw new Error(`${batchId} ${'\u0001'.repeat(100_000)}`);
    };
    const batches = thousand[0]!.records.map((one, i) => ({
      batchId: `b-${i}`,
      records: packKept([one]),
      outcomes: [0],
    }));
    const kinds = [{ outcome: OUTCOME.saved, attempts: 1, atMs: 0 }];
    const result = await closeBatches(store, { format: 'text', openedAtMs: 0, batches, kinds }, straight);
    expect(result.batches[0]).toHaveProperty('location');
    expect(size(result)).toBeLessThan(MIB / 2);
  });
});
