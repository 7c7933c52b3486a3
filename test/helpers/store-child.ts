import { readdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createFileStore } from '../../src/store/file-store';
import { interceptFs, type FsCall } from './intercept-fs';
import type { ChildTask } from './run-store-child';
import { settle } from './settle-batch';

const STDOUT = 1;
const task = JSON.parse(process.argv[2]!) as ChildTask;

let calls = 0;
if (task.dieBeforeCall !== undefined) {
  interceptFs((call, args) => {
    if (++calls !== task.dieBeforeCall) return;
    leaveHalfDone(call, args);
    process.kill(process.pid, 'SIGKILL');
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
  // Synchronously: a report that a kill can take back would be no report.
  writeSync(STDOUT, `${JSON.stringify(done)}\n`);
});
