import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { RunLimits } from '../../src/contracts/workflow/batcher';
import { SECOND } from '../../src/domain/duration';

type Event = temporal.api.history.v1.IHistoryEvent;

/** One run of a batcher, as the server reports it. */
export interface RunFigures {
  runId: string;
  historyEvents: number;
  historyBytes: number;
  /** Of the input in the first event: settings, limits and the carried state. */
  carriedBytes: number;
  /** Signals and updates. */
  messages: number;
  /** From the event with which the run reached a limit to its end; null for a run that reached none. */
  handOverMs: number | null;
  /** Workflow tasks that the server refused, as a signal had come meanwhile. */
  refusedHandOvers: number;
}

/** Reads every run of a workflow that the server knows: its description and its whole history. */
export async function readRuns(client: Client, workflowId: string, limits: RunLimits): Promise<RunFigures[]> {
  const runs: RunFigures[] = [];
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const { historyLength, historySize } = await handle.describe();
    const { events } = await handle.fetchHistory();
    runs.push({
      runId,
      historyEvents: historyLength,
      historyBytes: historySize ?? 0,
      ...figuresOf(events ?? [], limits),
    });
  }
  return runs;
}

function figuresOf(events: readonly Event[], limits: RunLimits) {
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  const payloads = started?.input?.payloads ?? [];
  const messages = events.filter(
    (event) =>
      event.workflowExecutionSignaledEventAttributes ?? event.workflowExecutionUpdateAcceptedEventAttributes,
  );
  const failed = events.filter((event) => event.workflowTaskFailedEventAttributes);
  const reached = [events[limits.historyEvents - 1], messages[limits.messages - 1]].flatMap((event) =>
    event === undefined ? [] : [timeOf(event)],
  );
  const last = events.at(-1);
  const handedOver = last?.workflowExecutionContinuedAsNewEventAttributes != null;
  return {
    carriedBytes: payloads.reduce((sum, { data }) => sum + (data?.length ?? 0), 0),
    messages: messages.length,
    handOverMs: handedOver && reached.length > 0 ? timeOf(last) - Math.min(...reached) : null,
    refusedHandOvers: failed.length,
  };
}

function timeOf({ eventTime }: Event): number {
  return Number(eventTime?.seconds ?? 0) * SECOND + (eventTime?.nanos ?? 0) / 1e6;
}
