import { proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import type { BatchInput } from '../../src/contracts/batch';

/** Which records each batch holds: `recordId`s by `batchId`, both in order. */
export type CutBatches = Record<string, string[]>;

export interface ReplaySinks extends Sinks {
  replay: { batch(batchId: string, recordIds: string[]): void };
}

export function recordIdsOf({ batch }: BatchInput): string[] {
  return batch.records.map(({ recordId }) => recordId);
}

const { replay } = proxySinks<ReplaySinks>();

/**
 * Goes into the bundle that is replayed. A replay compares a child's type and id, not its input; but a batcher that now
 * cuts other batches than it did would believe records saved that are still buffered, and lose them (G4).
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      startChildWorkflowExecution(input, next) {
        const { workflowId, args } = input.options;
        replay.batch(workflowId, recordIdsOf(args[0] as BatchInput));
        return next(input);
      },
    },
  ],
});
