import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Batch, BatchRef } from '../../src/domain/records/batch';
import { isKeepapartError } from '../../src/domain/errors';
import type { JsonValue } from '../../src/domain/json';
import { OUTCOME_FORMATS, outcomeFileContent, type SettledRecord } from '../../src/domain/records/outcome';
import { createFailingStore } from '../../src/store/failing-store';
import type { PostgresDatabase } from '../helpers/postgres-server';
import { openDatabase } from '../helpers/shared-postgres';
import { fileHarness, postgresHarness, type StoreHarness } from '../helpers/store-harness';
import { BATCH, BATCH_FILE, record, rolledBack, saved } from '../helpers/store-folders';

/*
 * What every record store promises, whichever it is: see src/domain/records/record-store.ts. What overtakes what while a batch is
 * settled: overtaking.test.ts; what one store alone has (torn files, connections that break) is in tests of its own.
 */
let database: PostgresDatabase;
beforeAll(async () => void (database = await openDatabase()));
afterAll(() => database.remove());

const STORES: [name: string, setUp: () => Promise<StoreHarness>][] = [
  ['files', () => fileHarness()],
  ['Postgres', () => postgresHarness(database)],
];

describe.each(STORES)('a store in %s', (_, setUp) => {
  let harness: StoreHarness;
  beforeEach(async () => void (harness = await setUp()));
  afterEach(() => harness.close());

  const files = (): string[] => readdirSync(harness.outDir).filter((name) => name !== '.unfinished');
  const read = (name = BATCH_FILE): string => readFileSync(join(harness.outDir, name), 'utf8');

  test('A store writes one JSON string per record, in batch order, and leaves nothing staged.', async () => {
    const store = await harness.worker();
    for (const index of [1, 3, 4]) await store.save(record(index), BATCH);
    await store.rollback(record(2), BATCH);
    const records = [saved(record(1)), rolledBack(record(2)), saved(record(3)), saved(record(4))];

    expect(await store.closeBatch(BATCH, records, 'text')).toEqual({ location: BATCH_FILE });
    expect(read()).toBe(
      '"save [1] success"\n"save [2] failed, roll back"\n"save [3] success"\n"save [4] success"\n',
    );
    expect(files()).toEqual([BATCH_FILE]);
    expect(await harness.leftovers()).toEqual([]);
  });

  test('A store writes an object per record with OUTCOME_FORMAT=json.', async () => {
    const store = await harness.worker();
    const named = record(0, { name: 'Zoë "Z"' });
    await store.save(named, BATCH);
    await store.closeBatch(BATCH, [saved(named), rolledBack(record(1))], 'json');
    const outcome = { at: '2026-01-31T23:59:58.000Z' };
    expect(
      read()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { recordId: 'request:0', value: named.value, outcome: 'saved', attempts: 1, error: null, ...outcome },
      {
        recordId: 'request:1',
        value: 1,
        outcome: 'rolled_back',
        attempts: 3,
        error: 'the disk is full',
        ...outcome,
      },
    ]);
  });

  test('A store saves any value under any requestId or refuses it for good, and rolls back and closes in either case (G9).', async () => {
    const requestId = fc.string({ unit: 'binary', minLength: 1, maxLength: 255 });
    const kept = fc.uniqueArray(
      fc.tuple(requestId, fc.jsonValue()).map(([id, value]) => ({
        recordId: `${id}:0`,
        // As it comes by JSON: without a negative zero.
        value: JSON.parse(JSON.stringify(value)) as JsonValue,
      })),
      { selector: ({ recordId }) => recordId, minLength: 1, maxLength: 5 },
    );
    const store = await harness.worker();
    let seq = 0;
    await fc.assert(
      fc.asyncProperty(kept, fc.constantFrom(...OUTCOME_FORMATS), async (records, format) => {
        const batch = { ...BATCH, batchId: `any-${++seq}` };
        const settled: SettledRecord[] = [];
        for (const [index, one] of records.entries()) {
          const refused = await store.save(one, batch).then(() => undefined, refusal);
          if (refused !== undefined || index === 0) {
            await store.rollback(one, batch);
            settled.push(rolledBack(one, refused ?? 'half a pair \ud800, a NUL \0'));
          } else settled.push(saved(one));
        }
        const { location } = await store.closeBatch(batch, settled, format);
        expect(read(location).split('\n')).toHaveLength(records.length + 1);
        const whole: Batch = { ...batch, flushReason: 'size', records };
        const { records: told = [] } = (await store.readBatch(whole)) ?? {};
        expect(told.map(({ recordId, value, outcome }) => ({ recordId, value, outcome }))).toEqual(
          settled.map(({ recordId, value, outcome }) => ({ recordId, value, outcome })),
        );
        // As the run that settles a batch does with what it has read.
        expect(await store.closeBatch(batch, told, format)).toEqual({ location });
      }),
      { numRuns: 30 },
    );
    expect(await harness.leftovers()).toEqual([]);
  });

  test('A store does nothing further when it is asked to save, roll back or close once more (G4).', async () => {
    const store = await harness.worker();
    await store.save(record(1), BATCH);
    const once = await harness.leftovers();
    await store.save(record(1), BATCH);
    expect(await harness.leftovers()).toEqual(once);

    await store.save(record(2), BATCH);
    await store.rollback(record(2), BATCH);
    await store.rollback(record(2), BATCH);
    expect(await harness.leftovers()).toEqual(once);

    const outcomes = [saved(record(1)), rolledBack(record(2))];
    await store.closeBatch(BATCH, outcomes, 'json');
    const content = read();
    await store.closeBatch(BATCH, outcomes, 'json');
    expect(read()).toBe(content);
    expect(await harness.leftovers()).toEqual([]);
  });

  test('A store distinguishes records whose ids differ only by half a surrogate pair.', async () => {
    const store = await harness.worker();
    for (const [index, recordId] of ['\ud800:0', '\ud801:0'].entries())
      await store.save({ recordId, value: index }, BATCH);
    const staged = await harness.leftovers();
    await store.rollback({ recordId: '\ud801:0', value: 1 }, BATCH);
    expect(await harness.leftovers()).toHaveLength(staged.length - 1);
  });

  test('A store refuses a save that comes after its batch was closed, and keeps nothing of it (G4).', async () => {
    const store = await harness.worker();
    await store.closeBatch(BATCH, [rolledBack(record(1))], 'text');
    await expect(store.save(record(1), BATCH)).rejects.toMatchObject({
      code: 'batch-already-closed',
      entry: { retried: 'never' },
    });
    expect(await harness.leftovers()).toEqual([]);
    expect(read()).toBe('"save [1] failed, roll back"\n');
  });

  test('A store knows a batch only once it is closed.', async () => {
    const store = await harness.worker();
    const whole: Batch = { ...BATCH, flushReason: 'size', records: [record(1), record(2)] };
    expect(await store.readBatch(whole)).toBeUndefined();
    await store.save(record(1), BATCH);
    expect(await store.readBatch(whole)).toBeUndefined();
    const records = [saved(record(1)), rolledBack(record(2))];
    await store.closeBatch(BATCH, records, 'json');
    expect(await store.readBatch(whole)).toEqual({ location: BATCH_FILE, records });
    const others = store.readBatch({ ...whole, records: [record(3), record(4)] });
    await expect(others).rejects.toMatchObject({ code: 'batch-file-conflict' });
  });

  test('A store leaves a file with other content alone, and closes the batch once that file is moved away.', async () => {
    const store = await harness.worker();
    await store.save(record(1), BATCH);
    const path = join(harness.outDir, BATCH_FILE);
    writeFileSync(path, '"save [9] success"\n');
    const close = () => store.closeBatch(BATCH, [saved(record(1))], 'text');
    await expect(close()).rejects.toMatchObject({
      code: 'batch-file-conflict',
      message: expect.stringContaining(BATCH_FILE),
      entry: { retried: 'by Temporal' },
    });
    expect(read()).toBe('"save [9] success"\n');
    rmSync(path);
    await close();
    expect(read()).toBe('"save [1] success"\n');
    expect(await harness.leftovers()).toEqual([]);
  });

  test('A store does not close a batch with a record that counts as saved but is not.', async () => {
    const store = await harness.worker();
    await store.save(record(1), BATCH);
    const records = [saved(record(1)), saved(record(2)), rolledBack(record(3))];
    await expect(store.closeBatch(BATCH, records, 'text')).rejects.toMatchObject({
      code: 'staged-record-missing',
      message: expect.stringContaining('request:2 '),
      entry: { retried: 'by Temporal' },
    });
    expect(files()).toEqual([]);
    await store.save(record(2), BATCH);
    await store.closeBatch(BATCH, records, 'text');
    expect(files()).toEqual([BATCH_FILE]);
  });

  test('A store distinguishes batches of the same id but another minute, as after a fresh Temporal database.', async () => {
    const store = await harness.worker();
    const later = { ...BATCH, openedAtMs: BATCH.openedAtMs + 60_000 };
    for (const batch of [BATCH, later]) {
      await store.save(record(1), batch);
      await store.closeBatch(batch, [saved(record(1))], 'text');
    }
    expect(files()).toHaveLength(2);
  });

  test.each(['../../escape', 'a/b', 'a\\b', 'a\0b', ''])(
    'refuses a batchId that is no file name: %j',
    async (batchId) => {
      const store = await harness.worker();
      const batch = { ...BATCH, batchId };
      for (const call of [
        store.save(record(1), batch),
        store.rollback(record(1), batch),
        store.closeBatch(batch, [rolledBack(record(1))], 'text'),
      ]) {
        await expect(call).rejects.toMatchObject({ code: 'invalid-config' });
      }
      expect([...files(), ...(await harness.leftovers())]).toEqual([]);
    },
  );

  test('A rollback undoes what failed on purpose after it was saved.', async () => {
    const store = createFailingStore(await harness.worker(), { failureRate: 1, random: () => 0 });
    await expect(store.save(record(1), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
    expect(await harness.leftovers()).not.toEqual([]);
    await store.rollback(record(1), BATCH);
    expect(await harness.leftovers()).not.toContain('request:1');
    await store.closeBatch(BATCH, [rolledBack(record(1))], 'text');
    expect(await harness.leftovers()).toEqual([]);
  });

  const rounds = Array.from({ length: 10 }, (_round, index): BatchRef => ({
    ...BATCH,
    batchId: `batcher-0-${10 + index}`,
  }));

  test('A store closes a batch once when three workers close it at the same time, and all succeed (G4).', async () => {
    const workers = await Promise.all([1, 2, 3].map(() => harness.worker()));
    for (const batch of rounds) {
      await workers[0]!.save(record(1), batch);
      await Promise.all(workers.map((worker) => worker.closeBatch(batch, [saved(record(1))], 'text')));
    }
    expect(files()).toHaveLength(rounds.length);
    expect(await harness.leftovers()).toEqual([]);
  });

  test('Of two workers that close a batch with different outcomes, the first wins, however close they come (G10).', async () => {
    const workers = await Promise.all([harness.worker(), harness.worker()]);
    for (const batch of rounds) {
      const outcomes = [saved(record(1)), rolledBack(record(1))];
      await workers[0].save(record(1), batch);
      const results = await Promise.allSettled(
        outcomes.map((one, index) => workers[index]!.closeBatch(batch, [one], 'text')),
      );
      const winner = results.findIndex(({ status }) => status === 'fulfilled');
      expect(results[1 - winner]).toMatchObject({ reason: { code: 'batch-file-conflict' } });
      const { location } = (results[winner] as PromiseFulfilledResult<{ location: string }>).value;
      expect(read(location)).toBe(outcomeFileContent([outcomes[winner]!], 'text'));
    }
  });
});

/** The message of a refusal for good; anything else fails the test. */
function refusal(error: unknown): string {
  if (isKeepapartError(error) && error.code === 'record-rejected') return error.message;
  throw error;
}
