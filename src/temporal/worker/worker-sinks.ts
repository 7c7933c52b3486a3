import { setTimeout as sleep } from 'node:timers/promises';
import type { InjectedSinks } from '@temporalio/worker';
import type { BatchInstruments } from '../../contracts/instruments';
import type { BatchTracing } from '../../contracts/tracing';
import type { WorkerSinks } from '../../contracts/workflow/worker-sinks';

/**
 * The worker's side of the sinks. A workflow task is answered only after the promise of `hold` has resolved; tasks of other
 * workflows continue.
 * @param batches receives measurements of batches; none by default
 * @param tracing receives what becomes spans of batches; none by default
 */
export function workerSinks(batches?: BatchInstruments, tracing?: BatchTracing): InjectedSinks<WorkerSinks> {
  return {
    workflowTask: { hold: { fn: (_workflow, ms) => sleep(ms) } },
    metrics: {
      batchesClosed: { fn: (_workflow, reports) => batches?.batchesClosed(reports) },
      batchesEndedEarly: { fn: (_workflow, reports) => batches?.batchesEndedEarly(reports) },
    },
    traces: { batchesClosed: { fn: (_workflow, reports) => tracing?.batchesClosed(reports) } },
  };
}
