import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { callTemporal, ifKnown } from './calls';

/** Describes a run of a workflow, by default the newest; undefined if the server doesn't know the workflow. */
export async function describeIfKnown(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<WorkflowExecutionDescription | undefined> {
  return ifKnown(
    callTemporal(client, `could not describe ${workflowId}`, () =>
      client.workflow.getHandle(workflowId, runId).describe(),
    ),
  );
}
