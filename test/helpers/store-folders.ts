import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchRef } from '../../src/domain/records/batch';
import type { JsonValue } from '../../src/domain/json';
import { OUTCOME, type SettledRecord } from '../../src/domain/records/outcome';
import type { KeptRecord } from '../../src/domain/records/record';
import { prepareFolders, type StoreFolders } from '../../src/store/folders';

/**
 * Where syncs cost nothing, if there is such a place: what they are for, a power cut, no test can bring about, and a kill
 * leaves the same behind on either. With the disk's syncs, going through every point of every call took a minute.
 */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A folder of the test's own; removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(ROOT, 'keepapart-store-'));
  removals.push(folder);
  return folder;
}

const removals: string[] = [];
afterEach(() => {
  for (const folder of removals.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Fresh, prepared folders of a file store. */
export async function storeFolders(): Promise<StoreFolders> {
  const root = temporaryFolder();
  const folders = { dataDir: join(root, 'data'), outDir: join(root, 'data', 'out') };
  await prepareFolders(folders);
  return folders;
}

/** Everything below `DATA_DIR/staging`, `OUT_DIR/.unfinished` and `OUT_DIR`, as relative paths. */
export function contentsOf({ dataDir, outDir }: StoreFolders) {
  const list = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return {
    staging: list(join(dataDir, 'staging')),
    unfinished: list(join(outDir, '.unfinished')),
    out: readdirSync(outDir)
      .filter((name) => name !== '.unfinished')
      .sort(),
  };
}

export const BATCH: BatchRef = {
  batchId: 'batcher-0-00000001',
  openedAtMs: Date.UTC(2026, 0, 31, 23, 59, 58),
};
export const BATCH_FILE = 'test_log_202601312359_batcher-0-00000001.log';

export function record(index: number, value: JsonValue = index): KeptRecord {
  return { recordId: `request:${index}`, value };
}

export function saved(kept: KeptRecord): SettledRecord {
  return { ...kept, outcome: OUTCOME.saved, attempts: 1, atMs: BATCH.openedAtMs };
}

export function rolledBack(kept: KeptRecord, error = 'the disk is full'): SettledRecord {
  return { ...kept, outcome: OUTCOME.rolledBack, attempts: 3, error, atMs: BATCH.openedAtMs };
}
