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
const CONTENT = outcomeFileContent(RECORDS, 'json');

interface Way {
  together: boolean;
  steps: number;
  /** Far fewer points would mean that the killing misses them. */
  leastPoints: number;
}

/** Kills a worker at its n-th point, lets another one go on, and says if the first had died. */
async function killThenGoOn(dieAtPoint: number, { together, steps }: Way): Promise<boolean> {
  const folders = await storeFolders();
  const settlement = { batch: BATCH, records: RECORDS, format: 'json' as const, together };
  const all = Array.from({ length: steps }, (_, step) => ({ step }));
  const { reports, killed } = await runStoreChild({ folders, ...settlement, dieAtPoint });
  expect(reports).toEqual(all.slice(0, reports.length));

  const files = contentsOf(folders).out;
  if (reports.length === steps) expect(files).toEqual([BATCH_FILE]);
  for (const file of files) expect(readFileSync(join(folders.outDir, file), 'utf8')).toBe(CONTENT);

  // What was reported stands in Temporal's history; everything else is repeated.
  const repeated: unknown[] = [];
  await settle(createFileStore(folders), settlement, (done) => repeated.push(done), reports.length);
  expect(repeated).toEqual(all.slice(reports.length));
  expect(readFileSync(join(folders.outDir, BATCH_FILE), 'utf8')).toBe(CONTENT);
  expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
  return killed;
}

describe.each<[string, Way]>([
  ['one by one', { together: false, steps: 4, leastPoints: 20 }],
  ['together', { together: true, steps: 3, leastPoints: 12 }],
])('Two records, one of them rolled back, saved and closed %s:', (_, way) => {
  test(
    'G4, G10: wherever a worker is killed, a reader sees a whole file or none, and the next worker finishes',
    async () => {
      let point = 1;
      // Two at a time, until one outlives its kill.
      while ((await Promise.all([killThenGoOn(point, way), killThenGoOn(point + 1, way)])).every(Boolean))
        point += 2;
      expect(point).toBeGreaterThan(way.leastPoints);
    },
    // A process for each point: however slow the machine is, that is no reason to fail.
    10 * MINUTE,
  );
});
