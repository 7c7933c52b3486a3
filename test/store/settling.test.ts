import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settleBatch } from '../../activities/settle-batch';
import type { SettleBatchResult } from '../../src/contracts/workflow/activities';
import type { Batch } from '../../src/domain/records/batch';
import { isKeepapartError } from '../../src/domain/errors';
import { OUTCOME } from '../../src/domain/records/outcome';
import type { RecordStore } from '../../src/domain/records/record-store';
import { createFileStore } from '../../src/store/file-store';
import type { StoreFolders } from '../../src/store/folders';
import { sweep } from '../../src/store/sweep';
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

/* What settling does with files alone; what holds for every store is in contract.test.ts and overtaking.test.ts. */
const RECORDS = [record(1, 'one'), record(2, 'two')] as const;
const SETTLED_BATCH: Batch = { ...BATCH, flushReason: 'size', records: [...RECORDS] };
const REASON = 'its batch was terminated by hand';

let restore = (): void => undefined;
afterEach(() => restore());

/** As Temporal does it: until it succeeds. */
async function settle(
  store: RecordStore,
  format: 'text' | 'json' = 'json',
  atMs = 1,
): Promise<SettleBatchResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await settleBatch(store, { batch: SETTLED_BATCH, format, reason: REASON, atMs }, attempt);
    } catch (error) {
      if (attempt === 5 || !isKeepapartError(error)) throw error;
    }
  }
}

/** Fails only with an error that a worker may meet: nobody waits for it. */
async function late(call: (store: RecordStore) => Promise<unknown>, folders: StoreFolders): Promise<void> {
  await call(createFileStore(folders)).catch((error: unknown) => {
    if (!isKeepapartError(error)) throw error;
  });
}

function fileIn(folders: StoreFolders): string {
  return readFileSync(join(folders.outDir, BATCH_FILE), 'utf8');
}

test('A late save that is killed after its batch was settled leaves nothing that a sweep leaves.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  await settle(store);
  restore = interceptFs(({ name }) => {
    if (name === 'stat') throw new Error('killed');
  });
  await expect(store.save(RECORDS[0], BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  restore();
  expect(contentsOf(folders).staging).toHaveLength(2);
  await sweep(folders);
  expect(contentsOf(folders)).toMatchObject({ staging: [], out: [BATCH_FILE] });
});

test('A late rollback leaves alone what is published as saved (G4).', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  for (const one of RECORDS) await store.save(one, BATCH);
  await store.closeBatch(BATCH, RECORDS.map(saved), 'json');
  const file = fileIn(folders);
  await store.rollback(RECORDS[0], BATCH);
  expect(fileIn(folders)).toBe(file);
  expect((await settle(store)).outcomes.map(({ outcome }) => outcome)).toEqual([
    OUTCOME.saved,
    OUTCOME.saved,
  ]);
});

test('What a text file does not contain is reported as unknown, with the reason for settling.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  await store.save(RECORDS[0], BATCH);
  await store.closeBatch(BATCH, [saved(RECORDS[0]), rolledBack(RECORDS[1])], 'text');
  expect(await settle(store, 'text')).toEqual({
    location: BATCH_FILE,
    outcomes: [
      { recordId: RECORDS[0].recordId, outcome: OUTCOME.saved, attempts: 0, atMs: 1 },
      {
        recordId: RECORDS[1].recordId,
        outcome: OUTCOME.rolledBack,
        attempts: 0,
        error: `unknown, because ${REASON}`,
        atMs: 1,
      },
    ],
  });
});

test('A file that was published by a worker that died before it was durable is made durable (G10).', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  await store.save(RECORDS[0], BATCH);
  restore = interceptFs(({ name, path }) => {
    if (name === 'sync' && path === folders.outDir) throw new Error('killed');
  });
  await late(
    (dying) => dying.closeBatch(BATCH, [saved(RECORDS[0]), rolledBack(RECORDS[1])], 'json'),
    folders,
  );
  restore();
  const synced: string[] = [];
  restore = interceptFs(({ name, path }) => name === 'sync' && synced.push(path));
  await settle(store);
  expect(synced).toContain(folders.outDir);
  expect(contentsOf(folders).staging).toEqual([]);
});
