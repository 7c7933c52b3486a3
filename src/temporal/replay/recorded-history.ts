import { defaultPayloadConverter } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import { recordsGivenTo, type GivenRecords } from '../../contracts/workflow/replay';

export type HistoryEvent = NonNullable<History['events']>[number];

/** A run that happened, and what is known of it without its code. */
export interface RecordedRun {
  workflowId: string;
  /** As the history tells it: after a reset, that of the run that was begun with. */
  runId: string;
  workflowType: string;
  /** Whether the run was still going on when the history was taken. */
  open: boolean;
  /** Whether a workflow task was completed: without one, no code has decided anything yet. */
  begun: boolean;
  history: History;
}

/** @throws TypeError for a history that doesn't begin with the start of a workflow of a known id */
export function recordedRun(history: History): RecordedRun {
  const events = history.events ?? [];
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  if (!started?.workflowId)
    throw new TypeError(
      "a history has to begin with the workflow that started, and to tell the workflow's id",
    );
  return {
    workflowId: started.workflowId,
    runId: started.originalExecutionRunId ?? '',
    workflowType: started.workflowType?.name ?? '',
    open: !isClosing(events.at(-1)),
    begun: events.some((event) => event.workflowTaskCompletedEventAttributes),
    history,
  };
}

/** What a batcher gave to the children that it started. */
export function recordsGivenIn(history: History): GivenRecords {
  return Object.fromEntries(
    (history.events ?? []).flatMap((event) => {
      const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
      const payload = child?.input?.payloads?.[0];
      const input = payload && defaultPayloadConverter.fromPayload(payload);
      const recordIds = recordsGivenTo(child?.workflowType?.name ?? undefined, input);
      return recordIds ? [[child?.workflowId ?? '?', recordIds]] : [];
    }),
  );
}

/** The start of the last workflow task that was completed: what code does after it, it does for the first time. */
export function lastCompletedTask(history: History): number {
  const completed = history.events?.findLast((event) => event.workflowTaskCompletedEventAttributes);
  return Number(completed?.workflowTaskCompletedEventAttributes?.startedEventId ?? 0);
}

function isClosing(event: HistoryEvent | undefined): boolean {
  return Boolean(
    event?.workflowExecutionCompletedEventAttributes ??
    event?.workflowExecutionFailedEventAttributes ??
    event?.workflowExecutionTimedOutEventAttributes ??
    event?.workflowExecutionCanceledEventAttributes ??
    event?.workflowExecutionTerminatedEventAttributes ??
    event?.workflowExecutionContinuedAsNewEventAttributes,
  );
}
