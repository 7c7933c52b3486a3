import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { StoreFolders } from '../../src/store/folders';
import type { PostgresStoreOptions } from '../../src/store/postgres/postgres-store';
import type { S3StoreOptions } from '../../src/store/s3/s3-store';
import type { Settlement, StepReport } from './settle-batch';

/** What the child process does: brings one batch into a store, step by step. */
export interface ChildTask extends Settlement {
  /** Folders of a file store, or how to open one in Postgres or S3. */
  store: { folders: StoreFolders } | { postgres: PostgresStoreOptions } | { s3: S3StoreOptions };
  /**
   * It kills itself (SIGKILL) at this point, from 1: points are before each call that changes a file or folder (half of
   * a write is then done), before each commit, before each request that
   * changes what is in S3, and before each report of a step.
   */
  dieAtPoint?: number;
}

export interface ChildResult {
  /** The steps that were over before the child was; what wasn't reported, Temporal would repeat. */
  reports: StepReport[];
  killed: boolean;
}

/**
 * Does a task in a process of its own.
 * @param maxFileBytes no file can grow beyond it there (`ulimit -f`), in steps of 512: the one kind of full disk
 *   that needs no privileges
 */
export async function runStoreChild(task: ChildTask, maxFileBytes?: number): Promise<ChildResult> {
  const node = [
    process.execPath,
    '-r',
    require.resolve('./run-typescript'),
    require.resolve('./store-child'),
    JSON.stringify(task),
  ];
  const limit = maxFileBytes === undefined ? 'unlimited' : String(maxFileBytes / BLOCK_BYTES);
  const child = spawn('sh', ['-c', `ulimit -f ${limit} && exec "$@"`, 'sh', ...node], {
    // With what tests have set, as credentials: by default it would be Jest's own environment.
    env: process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, complaints, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the child failed: ${complaints}`);
  const reports = output.split('\n').filter(Boolean);
  return { reports: reports.map((line) => JSON.parse(line) as StepReport), killed: signal === 'SIGKILL' };
}

/** What `ulimit -f` of a POSIX shell counts in. */
const BLOCK_BYTES = 512;
