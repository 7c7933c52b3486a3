import { MINUTE } from '../../src/domain/duration';
import { CONTRACT } from '../../src/store/testing/contract';
import type { StoreUnderTest } from '../../src/store/testing/subject';
import type { PostgresDatabase } from '../helpers/postgres-server';
import { openDatabase } from '../helpers/shared-postgres';
import { startS3, type S3Server } from '../helpers/s3-server';
import { fileHarness, postgresHarness, s3Harness } from '../helpers/store-harness';
import { endpointSubject, memorySaver, savingSubject, subjectOf } from '../helpers/store-subjects';

/*
 * The suite that `keepapart store test` runs against a user's store, against ours. The clause about kills has nothing to
 * kill here: kill.test.ts does that at every call into the file system, and own-store.test.ts of the e2e tests for a module.
 */
let database: PostgresDatabase;
let s3: S3Server;
beforeAll(async () => void (database = await openDatabase()));
// Its program may have to be built first.
beforeAll(async () => void (s3 = await startS3()), 20 * MINUTE);
afterAll(() => database.remove());
afterAll(() => s3.remove());

const STORES: [name: string, setUp: () => Promise<StoreUnderTest>][] = [
  ['files', async () => subjectOf(await fileHarness())],
  ['files without hard links', async () => subjectOf(await fileHarness({ hardLinks: false }))],
  ['Postgres', async () => subjectOf(await postgresHarness(database))],
  ['S3', async () => subjectOf(await s3Harness(s3))],
  [
    'code of the user',
    async () => {
      const { saver, find } = memorySaver();
      return savingSubject(saver, find);
    },
  ],
  ['an HTTP endpoint', () => endpointSubject()],
];

describe.each(STORES)('With a store in %s:', (_, setUp) => {
  test.each(CONTRACT)(
    '$title',
    async ({ check }) => {
      const subject = await setUp();
      try {
        await check(subject);
      } finally {
        await subject.close();
      }
    },
    2 * MINUTE,
  );
});

describe('The contract', () => {
  const failures = async (saver: ReturnType<typeof memorySaver>): Promise<string[]> => {
    const failed: string[] = [];
    for (const { title, check } of CONTRACT) {
      const subject = await savingSubject(saver.saver, saver.find);
      await check(subject).catch(() => failed.push(title));
    }
    return failed;
  };

  test('The contract finds a store that stores a record again at each save.', async () => {
    const memory = memorySaver();
    const rows: string[] = [];
    const saver = {
      ...memory,
      find: (ids: readonly string[]) => Promise.resolve(rows.filter((id) => ids.includes(id))),
      saver: {
        saveBatch: (records: readonly { recordId: string }[]) => {
          rows.push(...records.map(({ recordId }) => recordId));
          return Promise.resolve(records.map(() => 'saved' as const));
        },
        undo: (records: readonly { recordId: string }[]) => {
          const [gone] = records;
          const at = rows.indexOf(gone?.recordId ?? '');
          if (at >= 0) rows.splice(at, 1);
        },
      },
    };
    expect(await failures(saver)).not.toEqual([]);
  });

  test('The contract finds a store whose undo does nothing.', async () => {
    const memory = memorySaver();
    memory.saver.undo = () => undefined;
    expect(await failures(memory)).toContain(
      'a rollback undoes what was saved, and the record may be saved again afterwards',
    );
  });
});
