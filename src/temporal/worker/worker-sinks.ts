import { setTimeout as sleep } from 'node:timers/promises';
import type { InjectedSinks } from '@temporalio/worker';
import type { BatchInstruments } from '../../contracts/instruments';
import type { WorkerSinks } from '../../contracts/workflow/worker-sinks';

/**
 * The worker's end of what workflows have done outside of history. It waits for what `hold` returns before it answers the
 * task; other workflows' tasks go on.
 * @param batches who measures batches; nobody by default
 */
export function workerSinks(batches?: BatchInstruments): InjectedSinks<WorkerSinks> {
  return {
    workflowTask: { hold: { fn: (_workflow, ms) => sleep(ms) } },
    metrics: {
      batchesClosed: { fn: (_workflow, reports) => batches?.batchesClosed(reports) },
      batchesEndedEarly: { fn: (_workflow, reports) => batches?.batchesEndedEarly(reports) },
    },
  };
}
