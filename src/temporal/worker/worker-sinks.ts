import { setTimeout as sleep } from 'node:timers/promises';
import type { InjectedSinks } from '@temporalio/worker';
import type { WorkerSinks } from '../../contracts/worker-sinks';

/** The worker's end. It waits for what a sink returns before it answers the task; other workflows' tasks go on. */
export const WORKER_SINKS: InjectedSinks<WorkerSinks> = {
  workflowTask: { hold: { fn: (_workflow, ms) => sleep(ms) } },
};
