import { defaultPayloadConverter, type WorkflowExecutionDescription } from '@temporalio/client';
import type { Activities, HeldDetails } from '../../contracts/workflow/activities';
import type { StoreAway } from '../../contracts/workflow/store-notice';
import type { BatchStep } from '../../contracts/api/views';

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

/** The unfinished activities of a child, from the server's description; no worker is asked. */
export function pendingWork({ raw }: WorkflowExecutionDescription): PendingWork[] {
  return (raw.pendingActivities ?? []).flatMap((activity): PendingWork[] => {
    const { activityType, activityId, attempt, lastFailure } = activity;
    const name = activityType?.name ?? '';
    const step = STEPS.get(name);
    if (step === undefined) return [];
    const { away, uncounted = 0 } = detailsOf(activity);
    return [
      {
        step,
        recordId: name === SAVE ? (activityId ?? undefined) : undefined,
        attempt: Math.max(1, (attempt ?? 1) - uncounted),
        error: lastFailure?.message ?? undefined,
        away,
      },
    ];
  });
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** The details of its last heartbeat; empty for other activities than ours. */
function detailsOf({ heartbeatDetails }: PendingActivity): Partial<HeldDetails> {
  const [payload] = heartbeatDetails?.payloads ?? [];
  if (payload === undefined) return {};
  return defaultPayloadConverter.fromPayload<Partial<HeldDetails> | null>(payload) ?? {};
}
