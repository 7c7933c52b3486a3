import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settleBatch } from '../../activities/settle-batch';
import type { BatchResult } from '../../src/contracts/batch';
import type { Batch } from '../../src/domain/batch';
import { HOUR, MINUTE } from '../../src/domain/duration';
import { isKeepapartError } from '../../src/domain/errors';
import { OUTCOME, jsonOutcomeLine } from '../../src/domain/outcome';
import type { RecordStore } from '../../src/domain/record-store';
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

/** What a run that settles a batch meets when workers still do what the terminated run asked them to. */
const RECORDS = [record(1, 'one'), record(2, 'two')] as const;
const SETTLED_BATCH: Batch = { ...BATCH, flushReason: 'size', records: [...RECORDS] };
const REASON = 'its batch was terminated by hand';

let restore = (): void => undefined;
afterEach(() => restore());

/** As Temporal does it: until it succeeds. */
async function settle(store: RecordStore, format: 'text' | 'json' = 'json', atMs = 1): Promise<BatchResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await settleBatch(store, { batch: SETTLED_BATCH, format, reason: REASON, atMs }, attempt);
    } catch (error) {
      if (attempt === 5 || !isKeepapartError(error)) throw error;
    }
  }
}

const LATE: Record<string, (store: RecordStore) => Promise<unknown>> = {
  save: (store) => store.save(RECORDS[1], BATCH),
  rollback: (store) => store.rollback(RECORDS[1], BATCH),
  closeBatch: (store) => store.closeBatch(BATCH, [saved(RECORDS[0]), rolledBack(RECORDS[1])], 'json'),
  'an earlier settleBatch': (store) => settle(store, 'json', 2),
};

/** Fails only with an error that a worker may meet: nobody waits for it. */
async function late(call: (store: RecordStore) => Promise<unknown>, folders: StoreFolders): Promise<void> {
  await call(createFileStore(folders)).catch((error: unknown) => {
    if (!isKeepapartError(error)) throw error;
  });
}

function fileIn(folders: StoreFolders): string {
  return readFileSync(join(folders.outDir, BATCH_FILE), 'utf8');
}

/** Does one thing in the middle of another: before its n-th call into the file system. False when there is no n-th. */
async function inTheMiddleOf(
  outer: () => Promise<void>,
  inner: () => Promise<void>,
  point: number,
  hardLinks: boolean,
): Promise<boolean> {
  let calls = 0;
  let inside: Promise<void> | undefined;
  let innerIsOver = false;
  restore = interceptFs(async ({ name }) => {
    // What goes on beside it goes on.
    if (inside === undefined && ++calls === point) {
      inside = inner().finally(() => (innerIsOver = true));
      await inside;
    }
    if (name === 'link' && !hardLinks) throw Object.assign(new Error('EPERM: on purpose'), { code: 'EPERM' });
  });
  try {
    await outer();
    await inside;
  } finally {
    restore();
  }
  return innerIsOver;
}

describe.each(Object.keys(LATE))('a late %s', (name) => {
  const call = LATE[name]!;

  test.each([
    ['with hard links', true],
    ['without', false],
  ])(
    'G4, G10: changes nothing that settling has published, and the other way round, at whichever point one of them overtakes the other (%s)',
    async (_, hardLinks) => {
      for (const lateIsOvertaken of [true, false]) {
        for (let point = 1, overtaken = true; overtaken; point++) {
          const folders = await storeFolders();
          for (const one of name === 'save' ? RECORDS.slice(0, 1) : RECORDS) {
            await createFileStore(folders).save(one, BATCH);
          }
          const told: { result: BatchResult; file: string }[] = [];
          const settling = async (): Promise<void> => {
            const result = await settle(createFileStore(folders));
            told.push({ result, file: fileIn(folders) });
          };
          const coming = () => late(call, folders);
          overtaken = lateIsOvertaken
            ? await inTheMiddleOf(coming, settling, point, hardLinks)
            : await inTheMiddleOf(settling, coming, point, hardLinks);
          if (told.length === 0) await settling();

          const [{ result, file }] = told as [{ result: BatchResult; file: string }];
          expect(fileIn(folders)).toBe(file);
          const lines = file.trimEnd().split('\n').map(jsonOutcomeLine);
          expect(lines).toMatchObject(
            result.outcomes.map(({ recordId, outcome, error = null }) => ({ recordId, outcome, error })),
          );
          await sweep(folders, Date.now() + 2 * HOUR);
          expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
        }
      }
    },
    2 * MINUTE,
  );
});

test('a late save that is killed after its batch was settled leaves nothing that a sweep leaves', async () => {
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

test('a late rollback leaves alone what is published as saved (G4)', async () => {
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

test('what a text file does not tell is told as unknown, and where it is from', async () => {
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
        error: `why is not known: ${REASON}`,
        atMs: 1,
      },
    ],
  });
});

test('a file that was published by a worker that died before it was durable is made durable (G10)', async () => {
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
