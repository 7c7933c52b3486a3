import { readdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createFileStore } from '../../src/store/file-store';
import { interceptFs, type FsCall } from './intercept-fs';
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

if (task.dieAtPoint !== undefined) {
  interceptFs((call, args) => {
    if (POINTS.includes(call.name)) dieIfItIsTime(() => leaveHalfDone(call, args));
  });
}

/** Writing and removing a folder are several calls to the kernel: a kill can come between them. */
function leaveHalfDone({ name, path, fd }: FsCall, args: readonly unknown[]): void {
  if (name === 'writeFile') {
    const bytes = args[0] as Uint8Array;
    writeSync(fd!, bytes.subarray(0, bytes.length / 2));
  }
  if (name === 'rm' && path.startsWith(join(task.folders.dataDir, 'staging'))) {
    const [first] = readdirSync(path);
    if (first !== undefined) unlinkSync(join(path, first));
  }
}

void settle(createFileStore(task.folders), task, (done) => {
  dieIfItIsTime();
  // Synchronously: a report that a kill can take back would be no report.
  writeSync(STDOUT, `${JSON.stringify(done)}\n`);
});
