import { NativeConnection, Worker } from '@temporalio/worker';
import { createPlainStore } from '../work/plain-store';
import { readWork } from '../work/work';
import { createActivities } from './activities';
import { TASK_QUEUE } from './client';

async function main(): Promise<void> {
  const work = readWork();
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address: work.server }),
    taskQueue: TASK_QUEUE,
    workflowsPath: require.resolve('./workflows'),
    activities: { ...createActivities(createPlainStore(work)) },
    // As many as keepapart has; the default of 100 is no slower here.
    maxConcurrentActivityTaskExecutions: 400,
  });
  console.log('worker is up');
  await worker.run();
}

void main();
