import { readdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordStore } from '../../src/domain/records/record-store';
import { createFileStore } from '../../src/store/file-store';
import { openPostgresStore } from '../../src/store/postgres/postgres-store';
import { openS3Store } from '../../src/store/s3/s3-store';
import { interceptFs, type FsCall } from './intercept-fs';
import { interceptQueries } from './intercept-queries';
import { interceptS3 } from './intercept-s3';
import type { ChildTask } from './run-store-child';
import { settle } from './settle-batch';

const STDOUT = 1;
const task = JSON.parse(process.argv[2]!) as ChildTask;

/** Calls that change what the next process finds, and `open`, which stands for the state after a write. */
const POINTS = ['link', 'mkdir', 'open', 'rename', 'rm', 'rmdir', 'unlink', 'writeFile'];

let points = 0;
function dieIfItIsTime(beforehand: () => void = () => undefined): void {
  if (++points !== task.dieAtPoint) return;
  beforehand();
  process.kill(process.pid, 'SIGKILL');
}

function intercept(): void {
  interceptFs((call, args) => {
    if (POINTS.includes(call.name)) dieIfItIsTime(() => leaveHalfDone(call, args));
  });
  interceptQueries((sql) => {
    if (sql === 'COMMIT') dieIfItIsTime();
  });
  interceptS3(({ name }) => {
    if (/^(Put|Delete)/.test(name)) dieIfItIsTime();
  });
}

/** Writing and removing a folder are several calls to the kernel: a kill can come between them. */
function leaveHalfDone({ name, path, fd }: FsCall, args: readonly unknown[]): void {
  if (name === 'writeFile') {
    const bytes = args[0] as Uint8Array;
    writeSync(fd!, bytes.subarray(0, bytes.length / 2));
  }
  if (
    name === 'rm' &&
    'folders' in task.store &&
    path.startsWith(join(task.store.folders.dataDir, 'staging'))
  ) {
    const [first] = readdirSync(path);
    if (first !== undefined) unlinkSync(join(path, first));
  }
}

function open(): Promise<RecordStore & { close?: () => Promise<void> }> {
  if ('postgres' in task.store) return openPostgresStore(task.store.postgres);
  if ('s3' in task.store) return openS3Store(task.store.s3);
  return Promise.resolve(createFileStore(task.store.folders));
}

void (async () => {
  const store = await open();
  if (task.dieAtPoint !== undefined) intercept();
  await settle(store, task, (done) => {
    dieIfItIsTime();
    // Synchronously: a report that a kill can take back would be no report.
    writeSync(STDOUT, `${JSON.stringify(done)}\n`);
  });
  await store.close?.();
})();
