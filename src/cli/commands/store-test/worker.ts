/** The process of a worker that kills itself between two steps of a batch: see `killAt` of the contract. */
import { writeSync } from 'node:fs';
import { stepsOf } from '../../../store/testing/steps';
import { DONE, openModule, type WorkerTask } from './subject';

const STDOUT = 1;

async function work({ folders, settlement, dieAtPoint, ...tested }: WorkerTask): Promise<void> {
  let points = 0;
  const dieIfItIsTime = (): void => {
    if (++points === dieAtPoint) process.kill(process.pid, 'SIGKILL');
  };
  const store = await openModule(tested, folders, dieIfItIsTime);
  for (const run of stepsOf(store, settlement)) {
    await run();
    dieIfItIsTime();
    // Synchronously: a report that a kill can take back would be no report.
    writeSync(STDOUT, `${DONE}\n`);
  }
  await store.close();
}

work(JSON.parse(process.argv[2] ?? '') as WorkerTask).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
