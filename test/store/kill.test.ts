import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MINUTE } from '../../src/domain/duration';
import { outcomeFileContent } from '../../src/domain/records/outcome';
import type { PostgresDatabase } from '../helpers/postgres-server';
import { openDatabase } from '../helpers/shared-postgres';
import { isUnfinishedSegment } from '../../src/store/segments';
import { runStoreChild } from '../helpers/run-store-child';
import { settle } from '../helpers/settle-batch';
import { startS3, type S3Server } from '../helpers/s3-server';
import { fileHarness, postgresHarness, s3Harness, type StoreHarness } from '../helpers/store-harness';
import { BATCH, BATCH_FILE, record, rolledBack, saved } from '../helpers/store-folders';

const RECORDS = [saved(record(1, { name: 'first' })), rolledBack(record(2))];
const CONTENT = outcomeFileContent(RECORDS, 'json');

interface Way {
  together: boolean;
  steps: number;
  /** Far fewer points would mean that the killing misses them. */
  leastPoints: number;
}

let database: PostgresDatabase;
let s3: S3Server;
beforeAll(async () => void (database = await openDatabase()));
// Its program may have to be built first.
beforeAll(async () => void (s3 = await startS3()), 20 * MINUTE);
afterAll(() => database.remove());
afterAll(() => s3.remove());

/** Kills a worker at its n-th point, lets another one go on, and says if the first had died. */
async function killThenGoOn(harness: StoreHarness, dieAtPoint: number, { together, steps }: Way) {
  const store = await harness.worker();
  const settlement = { batch: BATCH, records: RECORDS, format: 'json' as const, together };
  const all = Array.from({ length: steps }, (_, step) => ({ step }));
  const { reports, killed } = await runStoreChild({ store: harness.elsewhere, ...settlement, dieAtPoint });
  expect(reports).toEqual(all.slice(0, reports.length));

  const files = () => readdirSync(harness.outDir).filter((name) => name !== '.unfinished');
  const read = (name: string) => readFileSync(join(harness.outDir, name), 'utf8');
  if (reports.length === steps) expect(files()).toEqual([BATCH_FILE]);
  for (const file of files()) expect(read(file)).toBe(CONTENT);

  // What was reported stands in Temporal's history; everything else is repeated.
  const repeated: unknown[] = [];
  await settle(store, settlement, (done) => repeated.push(done), reports.length);
  expect(repeated).toEqual(all.slice(reports.length));
  expect(read(BATCH_FILE)).toBe(CONTENT);
  // A segment that was being written belongs to no batch yet, so it stays until it is old.
  expect((await harness.leftovers()).filter((name) => !isUnfinishedSegment(name))).toEqual([]);
  await harness.sweep();
  expect([await harness.leftovers(), files()]).toEqual([[], [BATCH_FILE]]);
  await harness.close();
  return killed;
}

const inFiles = (): Promise<StoreHarness> => fileHarness();
const inPostgres = (): Promise<StoreHarness> => postgresHarness(database);
const inS3 = (): Promise<StoreHarness> => s3Harness(s3);

describe.each<[store: string, how: string, setUp: () => Promise<StoreHarness>, Way]>([
  ['files', 'one by one', inFiles, { together: false, steps: 4, leastPoints: 20 }],
  ['files', 'together', inFiles, { together: true, steps: 3, leastPoints: 12 }],
  // A commit and a report for each step, and the publishing of the file.
  ['Postgres', 'one by one', inPostgres, { together: false, steps: 4, leastPoints: 12 }],
  ['Postgres', 'together', inPostgres, { together: true, steps: 3, leastPoints: 10 }],
  // What is written to S3 and removed there, a report for each step, and the publishing of the file.
  ['S3', 'one by one', inS3, { together: false, steps: 4, leastPoints: 12 }],
  ['S3', 'together', inS3, { together: true, steps: 3, leastPoints: 12 }],
])('Two records in %s, one of them rolled back, saved and closed %s:', (_store, _how, setUp, way) => {
  test(
    'G4, G10: wherever a worker is killed, a reader sees a whole file or none, and the next worker finishes',
    async () => {
      const killed = async (point: number) => killThenGoOn(await setUp(), point, way);
      let point = 1;
      // Two at a time, until one outlives its kill.
      while ((await Promise.all([killed(point), killed(point + 1)])).every(Boolean)) point += 2;
      expect(point).toBeGreaterThan(way.leastPoints);
    },
    // A process for each point: however slow the machine is, that is no reason to fail.
    10 * MINUTE,
  );
});
