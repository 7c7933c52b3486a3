import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { Activities, HeldDetails } from '../../contracts/workflow/activities';
import type { StoreAway } from '../../contracts/workflow/store-notice';
import type { BatchStep } from '../../contracts/api/states';
import { placeOfSave } from '../../contracts/workflow/child';
import { messageOfFailure, valueAt } from '../server/history';

/** An activity of a child that has not ended. */
export interface PendingWork {
  step: BatchStep;
  /** The record it is for; undefined if it is for all of them. */
  recordId: string | undefined;
  /** The current or next attempt, from 1, not counting those that ended while the store was unavailable. */
  attempt: number;
  /** Why the previous attempt failed. */
  error: string | undefined;
  /** Set while the activity waits for the store. */
  away: StoreAway | undefined;
}

const STEPS = new Map<string, BatchStep>(
  Object.entries({
    save: 'saving',
    saveBatches: 'saving',
    rollback: 'undoing',
    closeBatches: 'closing',
    settleBatch: 'settling',
  } satisfies Partial<Record<keyof Activities, BatchStep>>),
);
const SAVE: keyof Activities = 'save';

/** Looks up the record that a save with a hidden id is for, by the places of its batch and of itself, both from 1. */
export type FindRecord = (place: number, position: number) => Promise<string | undefined>;

/** The unfinished activities of a child, from the server's description; no worker is asked. */
export async function pendingWork(
  client: Client,
  { raw }: WorkflowExecutionDescription,
  findRecord: FindRecord,
): Promise<PendingWork[]> {
  const work = (raw.pendingActivities ?? []).map(async (activity): Promise<PendingWork[]> => {
    const { activityType, activityId, attempt, lastFailure } = activity;
    const name = activityType?.name ?? '';
    const step = STEPS.get(name);
    if (step === undefined) return [];
    const { away, uncounted = 0 } = await detailsOf(client, activity);
    return [
      {
        step,
        recordId: name === SAVE ? await recordIdOf(activityId ?? '', findRecord) : undefined,
        attempt: Math.max(1, (attempt ?? 1) - uncounted),
        error: await messageOfFailure(client, lastFailure),
        away,
      },
    ];
  });
  return (await Promise.all(work)).flat();
}

async function recordIdOf(activityId: string, findRecord: FindRecord): Promise<string | undefined> {
  const hidden = placeOfSave(activityId);
  return hidden === undefined ? activityId : findRecord(...hidden);
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** The details of its last heartbeat; empty for other activities than ours. */
async function detailsOf(
  client: Client,
  { heartbeatDetails }: PendingActivity,
): Promise<Partial<HeldDetails>> {
  return ((await valueAt(client, heartbeatDetails)) as Partial<HeldDetails> | null | undefined) ?? {};
}
