import { defaultPayloadConverter } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import { recordsGivenTo, type GivenRecords } from '../../contracts/workflow/replay';

export type HistoryEvent = NonNullable<History['events']>[number];

/** A recorded run, and what is known about it without its code. */
export interface RecordedRun {
  workflowId: string;
  /** From the history: after a reset, the id of the original run. */
  runId: string;
  workflowType: string;
  /** Whether the run was open when the history was fetched. */
  open: boolean;
  /** Whether a workflow task was completed. Without one, no code has run yet. */
  begun: boolean;
  history: History;
}

/** @throws TypeError if the history doesn't begin with the start of a workflow that has an id */
export function recordedRun(history: History): RecordedRun {
  const events = history.events ?? [];
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  if (!started?.workflowId)
    throw new TypeError("a history must begin with the start of its workflow, and contain the workflow's id");
  return {
    workflowId: started.workflowId,
    runId: started.originalExecutionRunId ?? '',
    workflowType: started.workflowType?.name ?? '',
    open: !isClosing(events.at(-1)),
    begun: events.some((event) => event.workflowTaskCompletedEventAttributes),
    history,
  };
}

/** The records that a batcher gave to each child it started. */
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

/** The start of the last completed workflow task; what code does after it is new. */
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
