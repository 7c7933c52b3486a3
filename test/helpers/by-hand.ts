import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import { waitFor } from './wait-for';

/* What an operator can do to a workflow with Temporal's own tools, and the SDK has no call for. */

/** Deletes a workflow, or one of its runs, with its history; resolves when the server no longer knows it. */
export async function deleteWorkflow(client: Client, workflowId: string, runId?: string): Promise<void> {
  await askToDelete(client, workflowId, runId);
  await waitFor(`${workflowId} to be gone`, () => isGone(client.workflow.getHandle(workflowId, runId)));
}

/** Asks for a deletion, which takes the server some seconds. */
export async function askToDelete(client: Client, workflowId: string, runId?: string): Promise<void> {
  await client.workflowService.deleteWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, ...(runId !== undefined && { runId }) },
  });
}

/** Whether the server doesn't know a workflow. */
export async function isGone(handle: WorkflowHandle): Promise<boolean> {
  try {
    await handle.describe();
    return false;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}

/**
 * Resets the latest run of a workflow.
 * @param to place of a completed workflow task, from 0, or from the end if negative
 * @returns the run and its number of events; undefined if it hasn't completed that task
 */
export async function resetWorkflow(
  client: Client,
  workflowId: string,
  to = 0,
): Promise<{ runId: string; events: number } | undefined> {
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const { events = [] } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const task = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes).at(to);
  if (task === undefined) return undefined;
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'reset by hand',
    requestId: `reset of ${runId}`,
    workflowTaskFinishEventId: task.eventId ?? null,
  });
  return { runId, events: events?.length ?? 0 };
}
