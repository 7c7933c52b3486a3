import { defaultPayloadConverter, type Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { callTemporal, ifKnown } from './calls';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Started = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

/** The events of a run in order, fetched page by page. Throws `WorkflowNotFoundError`. */
export async function* eventsOf(
  client: Client,
  workflowId: string,
  runId: string,
): AsyncGenerator<HistoryEvent> {
  let token: Uint8Array | undefined;
  do {
    const page = await callTemporal(client, `could not read the history of ${workflowId}`, () =>
      client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: { workflowId, runId },
        ...(token !== undefined && { nextPageToken: token }),
      }),
    );
    yield* page.history?.events ?? [];
    token = page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
  } while (token !== undefined);
}

/** All events of a run, in order. Throws `WorkflowNotFoundError`. */
export async function allEventsOf(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for await (const event of eventsOf(client, workflowId, runId)) events.push(event);
  return events;
}

/** The last event of a run so far. Throws `WorkflowNotFoundError`. */
export async function lastEventOf(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<HistoryEvent | undefined> {
  const { history } = await callTemporal(client, `could not read the end of ${workflowId}`, () =>
    client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    }),
  );
  return history?.events?.[0];
}

/** How a workflow was started: the first event of its history, even if it is closed. Throws `WorkflowNotFoundError`. */
export async function readStart(client: Client, workflowId: string, runId?: string): Promise<Started> {
  const { history } = await callTemporal(client, `could not read how ${workflowId} was started`, () =>
    client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId, ...(runId !== undefined && { runId }) },
      maximumPageSize: 1,
    }),
  );
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  if (started == null) throw new TypeError(`workflow ${workflowId} has no first event`);
  return started;
}

/** The first argument of a workflow. */
export function inputOf(started: Started, workflowId: string): unknown {
  if (!started.input?.payloads?.length) throw new TypeError(`workflow ${workflowId} has no input`);
  return firstValue(started.input);
}

/** The first argument of a workflow; undefined if the server doesn't know the workflow. */
export async function inputIfKnown(client: Client, workflowId: string): Promise<unknown> {
  const started = await ifKnown(readStart(client, workflowId));
  return started && inputOf(started, workflowId);
}

/** The first of some payloads, decoded; undefined if there is none. */
export function firstValue(payloads: temporal.api.common.v1.IPayloads | null | undefined): unknown {
  const payload = payloads?.payloads?.[0];
  return payload == null ? undefined : defaultPayloadConverter.fromPayload(payload);
}
