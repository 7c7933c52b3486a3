import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MINUTE } from '../../src/domain/duration';
import { outcomeFileContent } from '../../src/domain/outcome';
import { createFileStore } from '../../src/store/file-store';
import { runStoreChild } from '../helpers/run-store-child';
import { settle } from '../helpers/settle-batch';
import {
  BATCH,
  BATCH_FILE,
  contentsOf,
  record,
  rolledBack,
  saved,
  storeFolders,
} from '../helpers/store-folders';

const RECORDS = [saved(record(1, { name: 'first' })), rolledBack(record(2))];
const SETTLEMENT = { batch: BATCH, records: RECORDS, format: 'json' as const };
const CONTENT = outcomeFileContent(RECORDS, 'json');
const STEPS = 4;

/** Kills a worker at its n-th point, lets another one go on, and says if the first had died. */
async function killThenGoOn(dieAtPoint: number): Promise<boolean> {
  const folders = await storeFolders();
  const { reports, killed } = await runStoreChild({ folders, ...SETTLEMENT, dieAtPoint });
  expect(reports).toEqual([0, 1, 2, 3].slice(0, reports.length).map((step) => ({ step })));

  const files = contentsOf(folders).out;
  if (reports.length === STEPS) expect(files).toEqual([BATCH_FILE]);
  for (const file of files) expect(readFileSync(join(folders.outDir, file), 'utf8')).toBe(CONTENT);

  // What was reported stands in Temporal's history; everything else is repeated.
  const repeated: unknown[] = [];
  await settle(createFileStore(folders), SETTLEMENT, (done) => repeated.push(done), reports.length);
  expect(repeated).toEqual([0, 1, 2, 3].slice(reports.length).map((step) => ({ step })));
  expect(readFileSync(join(folders.outDir, BATCH_FILE), 'utf8')).toBe(CONTENT);
  expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
  return killed;
}

test(
  'G4, G10: wherever a worker is killed, a reader sees a whole file or none, and the next worker finishes',
  async () => {
    let point = 1;
    // Two at a time, until one outlives its kill.
    while ((await Promise.all([killThenGoOn(point), killThenGoOn(point + 1)])).every(Boolean)) point += 2;
    // Two saves, a rollback and a closing have some 25 points; far fewer would mean that the killing misses them.
    expect(point).toBeGreaterThan(20);
  },
  // A process for each point: however slow the machine is, that is no reason to fail.
  10 * MINUTE,
);
