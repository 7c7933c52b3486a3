import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordStore } from '../../src/domain/records/record-store';
import { HOUR } from '../../src/domain/duration';
import { createFileStore } from '../../src/store/file-store';
import {
  openPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from '../../src/store/postgres/postgres-store';
import { openS3Store, type S3Store, type S3StoreOptions } from '../../src/store/s3/s3-store';
import { sweep, sweepUnfinished } from '../../src/store/sweep';
import { interceptFs } from './intercept-fs';
import { interceptQueries } from './intercept-queries';
import type { PostgresDatabase } from './postgres-server';
import { interceptS3 } from './intercept-s3';
import type { ChildTask } from './run-store-child';
import type { S3Server } from './s3-server';
import { contentsOf, storeFolders } from './store-folders';

/** A store as its contract is tested: by several workers, each of which may be stopped between any two of its steps. */
export interface StoreHarness {
  outDir: string;
  /** The store as a worker of its own has it. */
  worker(): Promise<RecordStore>;
  /** Calls `before` ahead of every step that any worker takes from now on. */
  intercept(before: () => unknown): () => void;
  /** Resolves when the call is over, or can't go on because another worker holds what it needs. */
  overOrBlocked(call: Promise<unknown>): Promise<void>;
  /** What is staged, and files that are no batch's. */
  leftovers(): Promise<string[]>;
  /** What a worker does at its start with what killed ones have left, as if that were long ago. */
  sweep(): Promise<void>;
  /** How a worker in another process gets the same store. */
  elsewhere: ChildTask['store'];
  close(): Promise<void>;
}

export async function fileHarness({ hardLinks = true } = {}): Promise<StoreHarness> {
  const folders = await storeFolders();
  return {
    outDir: folders.outDir,
    worker: () => Promise.resolve(createFileStore(folders)),
    intercept: (before) =>
      interceptFs(async ({ name }) => {
        await before();
        if (name === 'link' && !hardLinks)
          throw Object.assign(new Error('EPERM: on purpose'), { code: 'EPERM' });
      }),
    // Nobody ever waits for anybody.
    overOrBlocked: (call) => call.then(() => undefined),
    leftovers() {
      const { staging, unfinished } = contentsOf(folders);
      return Promise.resolve([...staging, ...unfinished]);
    },
    sweep: () => sweep(folders, Date.now() + 2 * HOUR).then(() => undefined),
    elsewhere: { folders },
    close: () => Promise.resolve(),
  };
}

/** The harness of a store in Postgres, with what its workers are opened with. */
export interface PostgresHarness extends StoreHarness {
  schema: string;
  opening: PostgresStoreOptions;
  worker(): Promise<PostgresStore>;
}

let schemas = 0;

/** In a schema of its own of this database. */
export async function postgresHarness(
  database: PostgresDatabase,
  options: Partial<PostgresStoreOptions> = {},
): Promise<PostgresHarness> {
  const folders = await storeFolders();
  const schema = `test_${++schemas}`;
  const workers: PostgresStore[] = [];
  const opening: PostgresStoreOptions = {
    url: database.url,
    where: 'a test',
    schema,
    statement: '',
    keyPointer: '',
    poolSize: 5,
    timeoutMs: 10_000,
    outDir: folders.outDir,
    ...options,
  };
  return {
    schema,
    opening,
    outDir: folders.outDir,
    async worker() {
      const worker = await openPostgresStore(opening);
      workers.push(worker);
      return worker;
    },
    intercept(before) {
      const restores = [interceptFs(before), interceptQueries(before)];
      return () => restores.forEach((restore) => restore());
    },
    async overOrBlocked(call) {
      const over = new AbortController();
      const ends = () => over.abort();
      call.then(ends, ends);
      for (let waiting = 0; waiting === 0 && !over.signal.aborted;) {
        const [found] = await database.query<{ waiting: number }>(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity
           WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        );
        waiting = found!.waiting;
      }
      if (over.signal.aborted) await call;
    },
    async leftovers() {
      const staged = await database.query<{ record_id: string }>(`SELECT record_id FROM ${schema}.staged`);
      return [
        ...staged.map(({ record_id }) => record_id),
        ...readdirSync(join(folders.outDir, '.unfinished')),
      ];
    },
    sweep: () => sweepUnfinished(folders, Date.now() + 2 * HOUR).then(() => undefined),
    elsewhere: { postgres: opening },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

/** The harness of a store in S3, with what its workers are opened with. */
export interface S3Harness extends StoreHarness {
  opening: S3StoreOptions;
  worker(): Promise<S3Store>;
}

let prefixes = 0;

/** Below a prefix of its own in the server's bucket. */
export async function s3Harness(server: S3Server, options: Partial<S3StoreOptions> = {}): Promise<S3Harness> {
  const folders = await storeFolders();
  const prefix = `test-${++prefixes}/`;
  const workers: S3Store[] = [];
  const opening: S3StoreOptions = {
    bucket: server.bucket,
    prefix,
    region: '',
    endpoint: server.endpoint,
    pathStyle: true,
    timeoutMs: 30_000,
    requestsAtOnce: 16,
    compression: 'none',
    where: 'a test',
    outDir: folders.outDir,
    ...options,
  };
  async function worker(): Promise<S3Store> {
    const opened = await openS3Store(opening);
    workers.push(opened);
    return opened;
  }
  return {
    opening,
    outDir: folders.outDir,
    worker,
    intercept(before) {
      const restores = [interceptFs(before), interceptS3(before)];
      return () => restores.forEach((restore) => restore());
    },
    // Nobody ever waits for anybody.
    overOrBlocked: (call) => call.then(() => undefined),
    leftovers: async () => [
      ...(await server.keys(`${prefix}staging/`)),
      ...readdirSync(join(folders.outDir, '.unfinished')),
    ],
    async sweep() {
      await (await worker()).sweep(Date.now() + 2 * HOUR);
      await sweepUnfinished(folders, Date.now() + 2 * HOUR);
    },
    elsewhere: { s3: opening },
    async close() {
      await Promise.all(workers.map((opened) => opened.close()));
    },
  };
}
