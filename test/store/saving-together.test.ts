import { existsSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { BatchRef } from '../../src/domain/batch';
import type { JsonValue } from '../../src/domain/json';
import type { KeptRecord } from '../../src/domain/record';
import { closeTogether, saveTogether, type RecordStore } from '../../src/domain/record-store';
import { createFileStore } from '../../src/store/file-store';
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

const FIVE = [1, 2, 3, 4, 5].map((i) => record(i));
const EMPTY = { staging: [], unfinished: [], out: [BATCH_FILE] };

async function setUp() {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const saveAll = async (records: readonly KeptRecord[], batch: BatchRef = BATCH) => {
    const [results = []] = await saveTogether(store, [{ batch, records }]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return results;
  };
  /** Everything that is staged, as text. */
  const stagedText = (): string => {
    const folder = join(folders.dataDir, 'staging');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, 'utf8'))
      .join('');
  };
  const read = (location = BATCH_FILE): string => readFileSync(join(folders.outDir, location), 'utf8');
  return { folders, store, saveAll, stagedText, read };
}

function groupOf(count: number): BatchRef[] {
  return Array.from({ length: count }, (_, i) => ({ ...BATCH, batchId: `${BATCH.batchId}.00${i + 1}` }));
}

function lineOf({ recordId, value }: KeptRecord, { batchId }: BatchRef = BATCH): string {
  return JSON.stringify({
    batch: BATCH_FILE.replace(BATCH.batchId, batchId).replace('.log', ''),
    recordId,
    value,
  });
}

/** The paths that were synced, in order. */
async function syncsDuring(action: () => Promise<unknown>): Promise<string[]> {
  const synced: string[] = [];
  const restore = interceptFs(({ name, path }) => {
    if (name === 'sync') synced.push(path);
  });
  try {
    await action();
  } finally {
    restore();
  }
  return synced;
}

describe('Records of a batch that are saved together', () => {
  test('are one durable file, and count as saved each.', async () => {
    const { folders, store, saveAll, read } = await setUp();
    const synced = await syncsDuring(async () => {
      expect(await saveAll(FIVE)).toEqual(FIVE.map(() => ({ status: 'fulfilled', value: undefined })));
    });
    const staging = join(folders.dataDir, 'staging');
    // The content before it has its name, then the name.
    expect(synced).toEqual([join(staging, `${contentsOf(folders).staging[0]}.writing`), staging]);

    await store.closeBatch(BATCH, FIVE.map(saved), 'text');
    expect(read().split('\n')).toHaveLength(5 + 1);
    expect(contentsOf(folders)).toEqual(EMPTY);
  });

  test('G4: twice are the same as once, together, in part and one by one.', async () => {
    const { folders, store, saveAll } = await setUp();
    await saveAll(FIVE);
    await saveAll(FIVE);
    await saveAll(FIVE.slice(2));
    await store.save(FIVE[0]!, BATCH);
    await store.closeBatch(BATCH, FIVE.map(saved), 'text');
    expect(contentsOf(folders)).toEqual(EMPTY);
  });

  test('G9: with any ids and values, what is rolled back is gone, and nothing else is.', async () => {
    const { folders, store, saveAll, stagedText, read } = await setUp();
    const kept = fc.uniqueArray(
      fc
        .tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), fc.jsonValue())
        .map(([recordId, value]): KeptRecord => ({ recordId, value: value as JsonValue })),
      { selector: ({ recordId }) => recordId, minLength: 2, maxLength: 8 },
    );
    let seq = 0;
    await fc.assert(
      fc.asyncProperty(kept, fc.nat(), async (records, drawn) => {
        const batch = { ...BATCH, batchId: `any-${++seq}` };
        const undone = records.filter((_, i) => (drawn >> i) & 1);
        const others = records.filter((one) => !undone.includes(one));
        await saveAll(records, batch);
        await saveAll(records.slice(1), batch);
        await Promise.all(undone.map((one) => store.rollback(one, batch)));

        const lines = stagedText().split('\n');
        for (const one of records) expect(lines.includes(lineOf(one, batch))).toBe(!undone.includes(one));
        // What is rolled back does not count as saved any more.
        for (const one of undone) {
          await expect(store.closeBatch(batch, [...others, one].map(saved), 'json')).rejects.toMatchObject({
            code: 'staged-record-missing',
          });
        }
        const outcomes = records.map((one) => (undone.includes(one) ? rolledBack(one) : saved(one)));
        const { location } = await store.closeBatch(batch, outcomes, 'json');
        expect(read(location).split('\n')).toHaveLength(records.length + 1);
      }),
      { numRuns: 40 },
    );
    expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
  });

  test('are rolled back side by side, also by several workers, and none comes back.', async () => {
    const { folders, saveAll, stagedText } = await setUp();
    await saveAll(FIVE);
    await Promise.all(FIVE.slice(1).map((one) => createFileStore(folders).rollback(one, BATCH)));
    expect(stagedText().replace(/ +\n/g, '')).toBe(`${lineOf(FIVE[0]!)}\n`);
  });

  test('G4: count whoever has saved them, and not where their segment was not finished.', async () => {
    const { folders, saveAll } = await setUp();
    const [other, another] = [createFileStore(folders), createFileStore(folders)];
    const staging = join(folders.dataDir, 'staging');
    await saveAll(FIVE.slice(2));
    const [segment = 'none'] = contentsOf(folders).staging;
    renameSync(join(staging, segment), join(staging, `${segment}.writing`));
    const close = (store: RecordStore) => store.closeBatch(BATCH, FIVE.map(saved), 'text');
    await expect(close(other)).rejects.toMatchObject({
      code: 'staged-record-missing',
      message: expect.stringContaining('request:1, request:2, request:3, request:4, request:5 reported as'),
    });
    await saveTogether(other, [{ batch: BATCH, records: FIVE.slice(0, 2) }]);
    renameSync(join(staging, `${segment}.writing`), join(staging, segment));
    await close(another);
    expect(contentsOf(folders)).toEqual(EMPTY);
  });

  test('G4: are refused after their batch was closed, and leave nothing.', async () => {
    const { folders, store, saveAll } = await setUp();
    await store.closeBatch(
      BATCH,
      FIVE.map((one) => rolledBack(one)),
      'text',
    );
    await expect(saveAll(FIVE)).rejects.toMatchObject({ code: 'batch-already-closed' });
    expect(contentsOf(folders)).toEqual(EMPTY);
  });

  test('fail when the disk does, each for itself.', async () => {
    const { saveAll } = await setUp();
    const restore = interceptFs(({ name }) => {
      if (name === 'sync') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    try {
      await expect(saveAll(FIVE)).rejects.toMatchObject({
        code: 'save-failed',
        message: expect.stringMatching(
          /^5 records of batch .+ could not be written to DATA_DIR\/staging: full/,
        ),
      });
    } finally {
      restore();
    }
  });

  test('do not fail for what others have no room for.', async () => {
    const { folders, store, saveAll } = await setUp();
    const [large, small] = groupOf(2) as [BatchRef, BatchRef];
    const restore = interceptFs(({ name }, [bytes]) => {
      if (name === 'writeFile' && String(bytes).length > 1000)
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    try {
      const results = await Promise.allSettled([
        saveAll([record(1, 'x'.repeat(1000))], large),
        saveAll(FIVE, small),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    } finally {
      restore();
    }
    await store.closeBatch(small, FIVE.map(saved), 'text');
    expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
  });

  test('whose batch has its file are swept away, and no others.', async () => {
    const { folders, saveAll } = await setUp();
    await saveAll(FIVE);
    writeFileSync(join(folders.outDir, BATCH_FILE), '"save [1] success"\n');
    expect(await sweep(folders)).toMatchObject({ staged: 0 });
    const lines = FIVE.map(({ value }) => `"save [${JSON.stringify(value)}] success"\n`);
    writeFileSync(join(folders.outDir, BATCH_FILE), lines.join(''));
    expect(await sweep(folders)).toMatchObject({ staged: 1 });
    expect(contentsOf(folders)).toEqual(EMPTY);
  });
});

describe('Batches that are saved side by side', () => {
  test('share a segment, which goes with the last of them.', async () => {
    const { folders, store, saveAll } = await setUp();
    const group = groupOf(3);
    const synced = await syncsDuring(() => Promise.all(group.map((batch) => saveAll(FIVE, batch))));
    expect(synced).toHaveLength(2);
    const staged = contentsOf(folders).staging;
    expect(staged).toHaveLength(1);
    for (const [i, batch] of group.entries()) {
      expect(contentsOf(folders).staging).toEqual(staged);
      // In turns by a worker that has saved them, and by one that hasn't.
      await (i === 1 ? createFileStore(folders) : store).closeBatch(batch, FIVE.map(saved), 'text');
    }
    expect(contentsOf(folders).staging).toEqual([]);
  });

  test('G4: leave no segment before the files of others are durable, too, which their writers may not have come to.', async () => {
    const { folders, store, saveAll } = await setUp();
    const [other, own] = groupOf(2) as [BatchRef, BatchRef];
    await Promise.all([other, own].map((batch) => saveAll(FIVE, batch)));
    const [segment = 'none'] = contentsOf(folders).staging;
    const calls: string[] = [];
    const restore = interceptFs(({ name, path }) => {
      // Published by then, but not synced.
      if (name === 'sync' && path === folders.outDir && !existsSync(fileOf(own))) throw new Error('killed');
      if (['link', 'sync', 'unlink'].includes(name)) calls.push(`${name} ${path}`);
    });
    const fileOf = ({ batchId }: BatchRef): string =>
      join(folders.outDir, BATCH_FILE.replace(BATCH.batchId, batchId));
    try {
      await expect(createFileStore(folders).closeBatch(other, FIVE.map(saved), 'text')).rejects.toMatchObject(
        { code: 'store-failed' },
      );
      calls.length = 0;
      await store.closeBatch(own, FIVE.map(saved), 'text');
    } finally {
      restore();
    }
    const removed = calls.findIndex((call) => call === `unlink ${join(folders.dataDir, 'staging', segment)}`);
    const synced = calls.flatMap((call, i) => (call === `sync ${folders.outDir}` ? [i] : []));
    // Once for its own file, once more after it has seen the other's.
    expect(synced).toHaveLength(2);
    expect(removed).toBeGreaterThan(synced[1]!);
  });

  test('G4: are not swept away while one of the batches of their segment has no file.', async () => {
    const { folders, saveAll } = await setUp();
    const group = groupOf(2);
    await Promise.all(group.map((batch) => saveAll(FIVE, batch)));
    const lines = FIVE.map(({ value }) => `"save [${JSON.stringify(value)}] success"\n`).join('');
    for (const [i, end] of ['.001.log', '.002.log'].entries()) {
      writeFileSync(join(folders.outDir, BATCH_FILE.replace('.log', end)), lines);
      expect(await sweep(folders)).toMatchObject({ staged: i });
    }
    expect(contentsOf(folders).staging).toEqual([]);
  });

  test('G4: whichever worker closes which, whenever: all are closed, and nothing is left.', async () => {
    const { folders } = await setUp();
    let run = 0;
    const worker = fc.nat({ max: 2 });
    const batches = fc.array(
      fc.record({ savedBy: worker, again: fc.option(worker), closedBy: worker, after: fc.nat(20) }),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    await fc.assert(
      fc.asyncProperty(batches, async (drawn) => {
        run++;
        const workers = [0, 1, 2].map(() => createFileStore(folders));
        await Promise.all(
          drawn.map(async ({ savedBy, again, closedBy, after }, i) => {
            const batch = { ...BATCH, batchId: `run-${run}-${i}` };
            await saveTogether(workers[savedBy]!, [{ batch, records: FIVE }]);
            if (again !== null) await saveTogether(workers[again]!, [{ batch, records: FIVE.slice(1) }]);
            for (let turn = 0; turn < after; turn++) await setImmediate();
            await workers[closedBy]!.closeBatch(batch, FIVE.map(saved), 'text');
          }),
        );
        expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
      }),
      { numRuns: 60 },
    );
  });
});

describe('Batches that are closed together', () => {
  test('share one sync of the folder, and each has its own file and none is left in the staging.', async () => {
    const { folders, store, saveAll, read } = await setUp();
    const group = groupOf(7);
    await Promise.all(group.map((batch) => saveAll(FIVE, batch)));
    const synced = await syncsDuring(async () => {
      const results = await closeTogether(
        store,
        group.map((batch) => ({ batch, records: FIVE.map(saved) })),
        'text',
      );
      for (const result of results) {
        if (result.status === 'rejected') throw result.reason;
        expect(read(result.value.location).split('\n')).toHaveLength(5 + 1);
      }
    });
    expect(synced.filter((path) => path === folders.outDir)).toHaveLength(1);
    // The folder last: a sync tells of what was there before it.
    expect(synced.at(-1)).toBe(folders.outDir);
    expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [], out: { length: 7 } });
  });

  test('do not hold up one another: what stands in the way of one, or is missing of it, is told of that one.', async () => {
    const { folders, store, saveAll } = await setUp();
    const [blocked, whole, lacking] = groupOf(3) as [BatchRef, BatchRef, BatchRef];
    await Promise.all([blocked, whole].map((batch) => saveAll(FIVE, batch)));
    await saveAll(FIVE.slice(1), lacking);
    writeFileSync(join(folders.outDir, BATCH_FILE.replace('.log', '.001.log')), 'foreign\n');

    const close = () =>
      closeTogether(
        store,
        [blocked, whole, lacking].map((batch) => ({ batch, records: FIVE.map(saved) })),
        'text',
      );
    const told = [
      { status: 'rejected', reason: expect.objectContaining({ code: 'batch-file-conflict' }) },
      { status: 'fulfilled', value: { location: BATCH_FILE.replace('.log', '.002.log') } },
      { status: 'rejected', reason: expect.objectContaining({ code: 'staged-record-missing' }) },
    ];
    expect(await close()).toEqual(told);
    // Of those that are not closed nothing is cleared, and nothing is swept.
    const staged = () => expect(contentsOf(folders).staging).toHaveLength(1);
    staged();
    expect(await close()).toEqual(told);
    await sweep(folders);
    staged();
  });

  test('are not told as closed when the folder could not be synced, and are by the next attempt.', async () => {
    const { folders, store, saveAll } = await setUp();
    const group = groupOf(2);
    await Promise.all(group.map((batch) => saveAll(FIVE, batch)));
    const close = () =>
      closeTogether(
        store,
        group.map((batch) => ({ batch, records: FIVE.map(saved) })),
        'text',
      );
    const restore = interceptFs(({ name, path }) => {
      if (name === 'sync' && path === folders.outDir) throw Object.assign(new Error('io'), { code: 'EIO' });
    });
    try {
      const failed = { status: 'rejected', reason: expect.objectContaining({ code: 'store-failed' }) };
      expect(await close()).toEqual([failed, failed]);
    } finally {
      restore();
    }
    expect(contentsOf(folders).staging).toHaveLength(1);
    expect((await close()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
  });

  test('leave nothing of killed attempts behind, and touch nothing of others.', async () => {
    const { folders, store } = await setUp();
    const [own, other] = ['.001', '.002'].map((end) => BATCH_FILE.replace('.log', end));
    const uuid = '.7.00000000-0000-4000-8000-000000000000';
    for (const name of [`${own}${uuid}`, `${other}${uuid}`, BATCH_FILE.replace('.log', uuid)])
      writeFileSync(join(folders.outDir, '.unfinished', name), 'torn');
    const [batch] = groupOf(1) as [BatchRef];
    await closeTogether(store, [{ batch, records: [rolledBack(record(1))] }], 'text');
    expect(contentsOf(folders).unfinished).toEqual(
      [BATCH_FILE.replace('.log', uuid), `${other}${uuid}`].sort(),
    );
  });
});
