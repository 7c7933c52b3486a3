import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchRef } from '../../src/domain/records/batch';
import type { KeptRecord } from '../../src/domain/records/record';
import { saveTogether, type RecordStore } from '../../src/domain/records/record-store';
import { createFileStore } from '../../src/store/file-store';
import { interceptFs } from './intercept-fs';
import { BATCH, BATCH_FILE, record, storeFolders } from './store-folders';

export const FIVE = [1, 2, 3, 4, 5].map((i) => record(i));
/** What is in the folders of a store whose only batch is closed. */
export const EMPTY = { staging: [], unfinished: [], out: [BATCH_FILE] };

/** A file store of its own. */
export async function setUp() {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const saveAll = (records: readonly KeptRecord[], batch: BatchRef = BATCH) => savedIn(store, records, batch);
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

/** Saves records of one batch together; throws what the first fails with. */
export async function savedIn(store: RecordStore, records: readonly KeptRecord[], batch: BatchRef) {
  const [results = []] = await saveTogether(store, [{ batch, records }]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return results;
}

/** Batches of one child. */
export function groupOf(count: number): BatchRef[] {
  return Array.from({ length: count }, (_, i) => ({ ...BATCH, batchId: `${BATCH.batchId}.00${i + 1}` }));
}

/** The line of a record in a segment. */
export function lineOf({ recordId, value }: KeptRecord, { batchId }: BatchRef = BATCH): string {
  return JSON.stringify({
    batch: BATCH_FILE.replace(BATCH.batchId, batchId).replace('.log', ''),
    recordId,
    value,
  });
}

/** The paths that were synced, in order. */
export async function syncsDuring(action: () => Promise<unknown>): Promise<string[]> {
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
