import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { JsonValue } from '../../src/domain/json';
import { OUTCOME_FORMATS } from '../../src/domain/outcome';
import { createFileStore } from '../../src/store/file-store';
import { createFailingStore } from '../../src/store/failing-store';
import { stagedPath } from '../../src/store/staging';
import { interceptFs } from '../helpers/intercept-fs';
import {
  BATCH,
  BATCH_FILE,
  contentsOf,
  record,
  rolledBack,
  saved,
  storeFolders,
} from '../helpers/store-folders';

async function setUp() {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const read = (): string => readFileSync(join(folders.outDir, BATCH_FILE), 'utf8');
  return { folders, store, read };
}

test('a batch file has one JSON string per record, in batch order, and the staging is empty after it', async () => {
  const { folders, store, read } = await setUp();
  for (const index of [1, 3, 4]) await store.save(record(index), BATCH);
  await store.rollback(record(2), BATCH);

  const closed = await store.closeBatch(
    BATCH,
    [saved(record(1)), rolledBack(record(2)), saved(record(3)), saved(record(4))],
    'text',
  );

  expect(closed.location).toBe(BATCH_FILE);
  expect(read()).toBe(
    '"save [1] success"\n"save [2] failed, roll back"\n"save [3] success"\n"save [4] success"\n',
  );
  expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
});

test('a batch file in JSON has an object per record', async () => {
  const { store, read } = await setUp();
  await store.save(record(0, { name: 'Zoë "Z"' }), BATCH);
  await store.closeBatch(BATCH, [saved(record(0, { name: 'Zoë "Z"' })), rolledBack(record(1))], 'json');

  const lines = read().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      recordId: 'request:0',
      value: { name: 'Zoë "Z"' },
      outcome: 'saved',
      attempts: 1,
      error: null,
      at: '2026-01-31T23:59:58.000Z',
    },
    {
      recordId: 'request:1',
      value: 1,
      outcome: 'rolled_back',
      attempts: 3,
      error: 'the disk is full',
      at: '2026-01-31T23:59:58.000Z',
    },
  ]);
});

test('G9: any value and any requestId can be saved, rolled back and closed', async () => {
  const { folders } = await setUp();
  const requestId = fc.string({ unit: 'binary', minLength: 1, maxLength: 255 });
  const kept = fc.uniqueArray(
    fc.tuple(requestId, fc.jsonValue()).map(([id, value]) => ({
      recordId: `${id}:0`,
      value: value as JsonValue,
    })),
    { selector: ({ recordId }) => recordId, minLength: 1, maxLength: 5 },
  );
  const store = createFileStore(folders);
  let seq = 0;

  await fc.assert(
    fc.asyncProperty(kept, fc.constantFrom(...OUTCOME_FORMATS), async (records, format) => {
      const batch = { ...BATCH, batchId: `any-${++seq}` };
      const [first, ...others] = records;
      for (const one of records) await store.save(one, batch);
      await store.rollback(first!, batch);
      const { location } = await store.closeBatch(
        batch,
        [rolledBack(first!), ...others.map((one) => saved(one))],
        format,
      );
      expect(readFileSync(join(folders.outDir, location), 'utf8').split('\n')).toHaveLength(
        records.length + 1,
      );
    }),
    { numRuns: 30 },
  );
  expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
});

test('G4: saving, rolling back and closing twice is the same as once', async () => {
  const { folders, store, read } = await setUp();
  await store.save(record(1), BATCH);
  const once = contentsOf(folders).staging;
  await store.save(record(1), BATCH);
  expect(contentsOf(folders).staging).toEqual(once);

  await store.save(record(2), BATCH);
  await store.rollback(record(2), BATCH);
  await store.rollback(record(2), BATCH);
  expect(contentsOf(folders).staging).toEqual(once);

  const outcomes = [saved(record(1)), rolledBack(record(2))];
  await store.closeBatch(BATCH, outcomes, 'json');
  const content = read();
  await store.closeBatch(BATCH, outcomes, 'json');
  expect(read()).toBe(content);
  expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
});

test('records whose ids are told apart by a lone surrogate only are staged apart', async () => {
  const { folders, store } = await setUp();
  for (const recordId of ['\ud800:0', '\ud801:0']) await store.save({ recordId, value: 1 }, BATCH);
  expect(contentsOf(folders).staging).toHaveLength(1 + 2);
});

test('a torn file of a killed save is completed by the next attempt', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1, 'a long enough value'), BATCH);
  const staged = join(folders.dataDir, stagedPath(record(1), BATCH));
  const whole = readFileSync(staged);
  writeFileSync(staged, whole.subarray(0, 7));

  await store.save(record(1, 'a long enough value'), BATCH);
  expect(readFileSync(staged)).toEqual(whole);
});

test('a late attempt that breaks off does not tear what an earlier one has saved', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1), BATCH);
  const restore = interceptFs(({ name }) => {
    if (name === 'writeFile') throw new Error('breaks off');
  });
  try {
    await expect(store.save(record(1), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  } finally {
    restore();
  }
  await store.closeBatch(BATCH, [saved(record(1))], 'text');
  expect(contentsOf(folders).out).toEqual([BATCH_FILE]);
});

test('G4: a save whose batch is closed while it writes is refused too', async () => {
  const { folders, store } = await setUp();
  const restore = interceptFs(({ name }) => {
    if (name === 'writeFile')
      writeFileSync(join(folders.outDir, BATCH_FILE), '"save [1] failed, roll back"\n');
  });
  try {
    await expect(store.save(record(1), BATCH)).rejects.toMatchObject({ code: 'batch-already-closed' });
  } finally {
    restore();
  }
  expect(contentsOf(folders).staging).toEqual([]);
});

test('G4: a save that comes after its batch was closed is refused and leaves nothing', async () => {
  const { folders, store, read } = await setUp();
  await store.closeBatch(BATCH, [rolledBack(record(1))], 'text');

  await expect(store.save(record(1), BATCH)).rejects.toMatchObject({
    code: 'batch-already-closed',
    entry: { retried: 'never' },
  });
  expect(contentsOf(folders).staging).toEqual([]);
  expect(read()).toBe('"save [1] failed, roll back"\n');
});

test('a late save does not take the records of the others with it', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1), BATCH);
  const staged = contentsOf(folders).staging;
  writeFileSync(join(folders.outDir, BATCH_FILE), 'somebody else wrote this');

  await expect(store.save(record(2), BATCH)).rejects.toMatchObject({ code: 'batch-already-closed' });
  expect(contentsOf(folders).staging).toEqual(staged);
});

test('a file with other content is not replaced; the batch is closed once it was moved away', async () => {
  const { folders, store, read } = await setUp();
  await store.save(record(1), BATCH);
  const path = join(folders.outDir, BATCH_FILE);
  writeFileSync(path, '"save [9] success"\n');

  const close = () => store.closeBatch(BATCH, [saved(record(1))], 'text');
  await expect(close()).rejects.toMatchObject({
    code: 'batch-file-conflict',
    message: expect.stringContaining(BATCH_FILE),
    entry: { retried: 'by Temporal' },
  });
  expect(read()).toBe('"save [9] success"\n');
  expect(contentsOf(folders).unfinished).toEqual([]);

  rmSync(path);
  await close();
  expect(read()).toBe('"save [1] success"\n');
});

test('a batch whose saved record is not in the staging is not closed', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1), BATCH);
  const records = [saved(record(1)), saved(record(2)), rolledBack(record(3))];

  await expect(store.closeBatch(BATCH, records, 'text')).rejects.toMatchObject({
    code: 'staged-record-missing',
    message: expect.stringMatching(/request:2 .*share DATA_DIR/),
    entry: { retried: 'by Temporal' },
  });
  expect(contentsOf(folders).out).toEqual([]);

  await store.save(record(2), BATCH);
  await store.closeBatch(BATCH, records, 'text');
  expect(contentsOf(folders)).toMatchObject({ staging: [], out: [BATCH_FILE] });
});

test('a staged file that is not whole does not count as saved', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1), BATCH);
  writeFileSync(join(folders.dataDir, stagedPath(record(1), BATCH)), '{');
  await expect(store.closeBatch(BATCH, [saved(record(1))], 'text')).rejects.toMatchObject({
    code: 'staged-record-missing',
  });
});

test('batches with the same id but another minute do not meet, as after a fresh database', async () => {
  const { folders, store } = await setUp();
  const later = { ...BATCH, openedAtMs: BATCH.openedAtMs + 60_000 };
  await store.save(record(1), BATCH);
  await store.closeBatch(BATCH, [saved(record(1))], 'text');

  await store.save(record(1), later);
  await store.closeBatch(later, [saved(record(1))], 'text');
  expect(contentsOf(folders).out).toHaveLength(2);
});

test.each(['../../escape', 'a/b', 'a\\b', 'a\0b', ''])(
  'a batchId that is no file name is refused: %j',
  async (batchId) => {
    const { folders, store } = await setUp();
    const batch = { ...BATCH, batchId };
    for (const call of [
      store.save(record(1), batch),
      store.rollback(record(1), batch),
      store.closeBatch(batch, [rolledBack(record(1))], 'text'),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'invalid-config' });
    }
    expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [] });
  },
);

test('with a store that fails on purpose, what failed after saving is undone by rollback', async () => {
  const { folders, store } = await setUp();
  const failing = createFailingStore(store, { failureRate: 1, random: () => 0 });

  await expect(failing.save(record(1), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  expect(contentsOf(folders).staging).toHaveLength(2);
  await failing.rollback(record(1), BATCH);
  await failing.closeBatch(BATCH, [rolledBack(record(1))], 'text');
  expect(contentsOf(folders)).toMatchObject({ staging: [], out: [BATCH_FILE] });
});
