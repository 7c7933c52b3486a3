import type { Client } from '@temporalio/client';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow';
import type { temporal } from '@temporalio/proto';
import { callTemporal, ifKnown } from './calls';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;
type Failure = temporal.api.failure.v1.IFailure | null | undefined;
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
export async function inputOf(client: Client, started: Started, workflowId: string): Promise<unknown> {
  if (!started.input?.payloads?.length) throw new TypeError(`workflow ${workflowId} has no input`);
  return valueAt(client, started.input);
}

/** The first argument of a workflow; undefined if the server doesn't know the workflow. */
export async function inputIfKnown(client: Client, workflowId: string): Promise<unknown> {
  const started = await ifKnown(readStart(client, workflowId));
  return started && inputOf(client, started, workflowId);
}

/** One of some payloads, decrypted and decoded, by default the first; undefined if there is none. */
export async function valueAt(client: Client, payloads: Payloads, index = 0): Promise<unknown> {
  const payload = payloads?.payloads?.[index];
  if (payload == null) return undefined;
  return decodeFromPayloadsAtIndex(client.options.loadedDataConverter, 0, [payload]);
}

/** The message of a failure, decrypted; undefined if there is none. */
export async function messageOfFailure(client: Client, failure: Failure): Promise<string | undefined> {
  if (failure?.encodedAttributes == null) return failure?.message ?? undefined;
  const attributes = await valueAt(client, { payloads: [failure.encodedAttributes] });
  return (attributes as { message?: string }).message;
}
