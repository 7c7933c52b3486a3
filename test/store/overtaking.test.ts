import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settleBatch } from '../../activities/settle-batch';
import type { SettleBatchResult } from '../../src/contracts/workflow/activities';
import type { Batch } from '../../src/domain/records/batch';
import { MINUTE } from '../../src/domain/duration';
import { isKeepapartError } from '../../src/domain/errors';
import { jsonOutcomeLine } from '../../src/domain/records/outcome';
import type { RecordStore } from '../../src/domain/records/record-store';
import type { PostgresDatabase } from '../helpers/postgres-server';
import { inTheMiddleOf } from '../../src/store/testing/contract';
import { openDatabase } from '../helpers/shared-postgres';
import { fileHarness, postgresHarness, type StoreHarness } from '../helpers/store-harness';
import { BATCH, record, rolledBack, saved } from '../helpers/store-folders';

/** What a run that settles a batch meets when workers still do what the terminated run asked them to. */
const RECORDS = [record(1, 'one'), record(2, 'two')] as const;

let database: PostgresDatabase;
beforeAll(async () => void (database = await openDatabase()));
afterAll(() => database.remove());

let harness: StoreHarness;
afterEach(() => harness.close());

const STORES: [name: string, setUp: () => Promise<StoreHarness>][] = [
  ['files', () => fileHarness()],
  ['files without hard links', () => fileHarness({ hardLinks: false })],
  ['Postgres', () => postgresHarness(database)],
];

/** As Temporal does it: until it succeeds. */
async function settle(store: RecordStore, batch: Batch, atMs = 1): Promise<SettleBatchResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await settleBatch(store, { batch, format: 'json', reason: 'terminated', atMs }, attempt);
    } catch (error) {
      if (attempt === 5 || !isKeepapartError(error)) throw error;
    }
  }
}

const LATE: Record<string, (store: RecordStore, batch: Batch) => Promise<unknown>> = {
  save: (store, batch) => store.save(RECORDS[1], batch),
  rollback: (store, batch) => store.rollback(RECORDS[1], batch),
  closeBatch: (store, batch) => store.closeBatch(batch, [saved(RECORDS[0]), rolledBack(RECORDS[1])], 'json'),
  'an earlier settleBatch': (store, batch) => settle(store, batch, 2),
};

/** Fails only with an error that a worker may meet: nobody waits for it. */
async function tolerated(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!isKeepapartError(error)) throw error;
  });
}

describe.each(STORES)('in a store in %s', (_, setUp) => {
  test.each(Object.keys(LATE))(
    'G4, G10: a late %s changes nothing that settling has published, and the other way round, at whichever point one overtakes the other',
    async (name) => {
      harness = await setUp();
      const [first, second] = [await harness.worker(), await harness.worker()];
      let seq = 0;
      for (const lateIsOvertaken of [true, false]) {
        for (let point = 1, overtaken = true; overtaken; point++) {
          const batch: Batch = {
            ...BATCH,
            batchId: `b-${++seq}`,
            flushReason: 'size',
            records: [...RECORDS],
          };
          for (const one of name === 'save' ? RECORDS.slice(0, 1) : RECORDS) await first.save(one, batch);
          const told: { result: SettleBatchResult; file: string }[] = [];
          const settling = async (): Promise<void> => {
            const result = await settle(first, batch);
            told.push({ result, file: fileOf(result) });
          };
          const coming = () => tolerated(LATE[name]!(second, batch));
          overtaken = lateIsOvertaken
            ? await inTheMiddleOf(harness, coming, settling, point)
            : await inTheMiddleOf(harness, settling, coming, point);
          if (told.length === 0) await settling();

          const [{ result, file }] = told as [{ result: SettleBatchResult; file: string }];
          expect(fileOf(result)).toBe(file);
          expect(file.trimEnd().split('\n').map(jsonOutcomeLine)).toMatchObject(
            result.outcomes.map(({ recordId, outcome, error = null }) => ({ recordId, outcome, error })),
          );
          await harness.sweep();
          expect(await harness.leftovers()).toEqual([]);
        }
      }
      expect(readdirSync(harness.outDir).filter((file) => file.startsWith('test_log_'))).toHaveLength(seq);
      // A settling or a late call has a handful of steps at least: fewer would mean that they are not seen.
      expect(seq).toBeGreaterThan(5);
    },
    2 * MINUTE,
  );
});

function fileOf({ location }: SettleBatchResult): string {
  return readFileSync(join(harness.outDir, location), 'utf8');
}
