import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import type { Activities } from '../contracts/activities';
import type { BatchInput, BatchResult, BatchWorkflow } from '../contracts/batch';
import { saveIdInGroup } from '../contracts/ids';
import type { BatchSummary } from '../contracts/views';
import { placeInGroup, workflowIdOf } from '../domain/batch';
import { batchesIn, type BatchFacts } from './batch-facts';
import { inputOf, readStart } from './first-event';
import { createGroupReader } from './group-reader';
import { callTemporal } from './rpc';

/** One run of a batch's workflow. */
export type BatchRun = Pick<BatchSummary, 'batchId' | 'runId'>;

/** How far the save of a record has come that isn't through yet. */
export interface PendingSave {
  /** The attempt that runs or is waited for, from 1. */
  attempt: number;
  /** What the attempt before it failed with. */
  error: string | undefined;
}

/** What a workflow's description tells of one of its batches. */
export interface DescribedBatch extends BatchFacts {
  /** The save of a record that an activity of the server's makes. */
  pending: (recordId: string) => PendingSave | undefined;
}

/** Results never change, and clients poll: the last few thousand are kept (some hundred bytes each). */
const CACHED_RESULTS = 5000;

/** Reads batches out of Temporal: the only copy of the truth about them besides their files. */
export function createBatchReader(client: Client) {
  const results = new LRUCache<string, BatchResult>({ max: CACHED_RESULTS });
  const groups = createGroupReader(client);

  /** What the batches are that a workflow holds; none when it isn't there or of another kind. */
  async function factsIn(workflowId: string): Promise<DescribedBatch[]> {
    try {
      const info = await callTemporal(client, `could not ask for batch ${workflowId}`, () =>
        client.workflow.getHandle(workflowId).describe(),
      );
      const pending = pendingSaves(info.raw.pendingActivities ?? []);
      return batchesIn(info).map((facts) => ({
        ...facts,
        pending: (recordId) => pending.get(activityIdOf(facts.summary.batchId, recordId)),
      }));
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return [];
      throw error;
    }
  }

  return {
    factsIn,

    /** `undefined` when there is no such batch. */
    async facts(batchId: string): Promise<DescribedBatch | undefined> {
      const all = await factsIn(workflowIdOf(batchId));
      return all.find(({ summary }) => summary.batchId === batchId);
    },

    /** The result of a batch that completed. */
    async result(run: BatchRun): Promise<BatchResult> {
      const { batchId, runId } = run;
      if (placeInGroup(batchId) !== undefined) return groups.result(run);
      const cached = results.get(runId);
      if (cached !== undefined) return cached;
      const result = await callTemporal(client, `could not read the outcomes of batch ${batchId}`, () =>
        client.workflow.getHandle<BatchWorkflow>(batchId, runId).result(),
      );
      results.set(runId, result);
      return result;
    },

    /** What the batch was started with, records and all: from the first event of its history. */
    async input(run: BatchRun): Promise<BatchInput> {
      const { batchId, runId } = run;
      if (placeInGroup(batchId) !== undefined) return groups.input(run);
      return inputOf(await readStart(client, batchId, runId), batchId) as BatchInput;
    },
  };
}

export type BatchReader = ReturnType<typeof createBatchReader>;

function activityIdOf(batchId: string, recordId: string): string {
  return placeInGroup(batchId) === undefined ? recordId : saveIdInGroup(batchId, recordId);
}

/** By the id of the activity that saves the record. */
function pendingSaves(activities: readonly PendingActivity[]): Map<string, PendingSave> {
  return new Map(
    activities
      .filter(({ activityType }) => activityType?.name === SAVE)
      .map(({ activityId, attempt, lastFailure }) => [
        activityId ?? '',
        { attempt: attempt ?? 1, error: lastFailure?.message ?? undefined },
      ]),
  );
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];
const SAVE: keyof Activities = 'save';
