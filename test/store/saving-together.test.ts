import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { BatchRef } from '../../src/domain/records/batch';
import type { JsonValue } from '../../src/domain/json';
import type { KeptRecord } from '../../src/domain/records/record';
import type { RecordStore } from '../../src/domain/records/record-store';
import { createFileStore } from '../../src/store/file-store';
import { sweep } from '../../src/store/sweep';
import { interceptFs } from '../helpers/intercept-fs';
import { EMPTY, FIVE, groupOf, lineOf, savedIn, setUp, syncsDuring } from '../helpers/saving-together';
import { BATCH, BATCH_FILE, contentsOf, record, rolledBack, saved } from '../helpers/store-folders';

describe('Records of a batch that are saved together', () => {
  test('Records that are saved together are one durable file, and each counts as saved.', async () => {
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

  test('Saving records twice, together, in part or one by one, has the effect of saving them once (G4).', async () => {
    const { folders, store, saveAll } = await setUp();
    await saveAll(FIVE);
    await saveAll(FIVE);
    await saveAll(FIVE.slice(2));
    await store.save(FIVE[0]!, BATCH);
    await store.closeBatch(BATCH, FIVE.map(saved), 'text');
    expect(contentsOf(folders)).toEqual(EMPTY);
  });

  test('Rolling back removes exactly the records it names, with any ids and values (G9).', async () => {
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

  test('Records are rolled back in parallel, also by several workers, and none comes back.', async () => {
    const { folders, saveAll, stagedText } = await setUp();
    await saveAll(FIVE);
    await Promise.all(FIVE.slice(1).map((one) => createFileStore(folders).rollback(one, BATCH)));
    expect(stagedText().replace(/ +\n/g, '')).toBe(`${lineOf(FIVE[0]!)}\n`);
  });

  test('Records count as saved whichever worker saved them, unless their segment was not finished (G4).', async () => {
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
    await savedIn(other, FIVE.slice(0, 2), BATCH);
    renameSync(join(staging, `${segment}.writing`), join(staging, segment));
    await close(another);
    expect(contentsOf(folders)).toEqual(EMPTY);
  });

  test('Records that are saved together after their batch was closed are refused, and leave nothing (G4).', async () => {
    const { folders, store, saveAll } = await setUp();
    await store.closeBatch(
      BATCH,
      FIVE.map((one) => rolledBack(one)),
      'text',
    );
    await expect(saveAll(FIVE)).rejects.toMatchObject({ code: 'batch-already-closed' });
    expect(contentsOf(folders)).toEqual(EMPTY);
  });

  test('Records that are saved together each fail when the disk does.', async () => {
    const { saveAll } = await setUp();
    const restore = interceptFs(({ name }) => {
      if (name === 'sync') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    try {
      await expect(saveAll(FIVE)).rejects.toMatchObject({
        code: 'store-away',
        message: expect.stringMatching(
          /^5 records of 1 batches could not be written to DATA_DIR\/staging: full/,
        ),
      });
    } finally {
      restore();
    }
  });

  test('A record that does not fit on the disk fails alone.', async () => {
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

  test('Sweeping removes staged records whose batch has its file, and no others.', async () => {
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
  test('Batches that are saved in parallel share a segment, which is removed with the last of them.', async () => {
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

  test('A segment stays until the files of all its batches are durable (G4).', async () => {
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

  test('A segment is not swept while one of its batches has no file (G4).', async () => {
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

  test('Batches of one segment are all closed and leave nothing, whichever worker closes which and when (G4).', async () => {
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
            await savedIn(workers[savedBy]!, FIVE, batch);
            if (again !== null) await savedIn(workers[again]!, FIVE.slice(1), batch);
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

describe('Records of several batches that are saved by one call', () => {
  test('Records of several batches that are saved by one call share a segment, and thus two syncs.', async () => {
    const { folders, store } = await setUp();
    const group = groupOf(3);
    const synced = await syncsDuring(async () => {
      const results = await store.saveAll!(group.map((batch) => ({ batch, records: FIVE })));
      expect(results).toEqual(group.map(() => FIVE.map(() => ({ status: 'fulfilled', value: undefined }))));
    });
    expect(synced).toHaveLength(2);
    expect(contentsOf(folders).staging).toHaveLength(1);
  });

  test('A call that saves records of several batches is refused for those that are closed, and for no other (G4).', async () => {
    const { folders, store } = await setUp();
    const [closed, open] = groupOf(2) as [BatchRef, BatchRef];
    await store.closeBatch(
      closed,
      FIVE.map((one) => rolledBack(one)),
      'text',
    );
    const results = await store.saveAll!([closed, open].map((batch) => ({ batch, records: FIVE })));
    const late = { status: 'rejected', reason: expect.objectContaining({ code: 'batch-already-closed' }) };
    expect(results).toEqual([
      FIVE.map(() => late),
      FIVE.map(() => ({ status: 'fulfilled', value: undefined })),
    ]);
    await store.closeBatch(open, FIVE.map(saved), 'text');
    expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
  });
});
