import { defaultPayloadConverter, type PayloadCodec } from '@temporalio/common';
import { decode } from '@temporalio/common/lib/internal-non-workflow';
import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils';
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

/** The records that a batcher gave to each child it started. @param codecs what the history's payloads are encoded with */
export async function recordsGivenIn(history: History, codecs: PayloadCodec[]): Promise<GivenRecords> {
  const given: GivenRecords = {};
  for (const event of history.events ?? []) {
    const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
    const [payload] = child?.input?.payloads ?? [];
    if (payload === undefined) continue;
    const [decoded] = await decode(codecs, [payload]);
    const input: unknown = decoded && defaultPayloadConverter.fromPayload(decoded);
    const recordIds = recordsGivenTo(child?.workflowType?.name ?? undefined, input);
    if (recordIds !== undefined) given[child?.workflowId ?? '?'] = recordIds;
  }
  return given;
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

/**
 * Parses a history from the JSON of Temporal's own tools: `temporal workflow show --output json`, or the Web UI's download.
 * @throws Error if the text isn't the JSON of a history that can be replayed
 */
export function historyFromText(text: string): History {
  const history = historyFromJSON(JSON.parse(text));
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  if (!started) throw new TypeError('a history must begin with the start of its workflow');
  if (started.input?.payloads?.some((payload) => !payload.metadata?.['encoding']))
    throw new TypeError('its payloads were decoded; a replay needs them as Temporal stores them');
  return history;
}
