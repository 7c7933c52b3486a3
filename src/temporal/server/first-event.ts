import { WorkflowNotFoundError, defaultPayloadConverter, type Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { callTemporal } from './calls';

type Started = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

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
  const payload = started.input?.payloads?.[0];
  if (payload == null) throw new TypeError(`workflow ${workflowId} has no input`);
  return defaultPayloadConverter.fromPayload(payload);
}

/** The first argument of a workflow; undefined if the server doesn't know the workflow. */
export async function inputIfKnown(client: Client, workflowId: string): Promise<unknown> {
  try {
    return inputOf(await readStart(client, workflowId), workflowId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
