import {
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { BATCH_CLOSING, type BatchClosing, type BatchClosingStatus } from '../contracts/activities';
import { countClosed, type BatchGroupWorkflow, type BatchWorkflow } from '../contracts/batch';

/**
 * Long-polls the result of a workflow that holds a batch, or several, until it closes, in whatever way. Rejects when the signal is aborted and
 * when Temporal can't be reached.
 */
export async function waitForBatch(
  client: Client,
  batchId: string,
  signal: AbortSignal,
): Promise<BatchClosing> {
  try {
    const handle = client.workflow.getHandle<BatchWorkflow | BatchGroupWorkflow>(batchId);
    const result = await client.withAbortSignal(signal, () => handle.result());
    return { status: BATCH_CLOSING.completed, ...countClosed(result) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const status = closingStatusOf(error);
    if (status === undefined) throw error;
    return { status, saved: 0, rolledBack: 0, retries: 0 };
  }
}

function closingStatusOf(error: unknown): BatchClosingStatus | undefined {
  if (error instanceof WorkflowNotFoundError) return BATCH_CLOSING.notFound;
  if (!(error instanceof WorkflowFailedError)) return undefined;
  if (error.cause instanceof TerminatedFailure) return BATCH_CLOSING.terminated;
  if (error.cause instanceof CancelledFailure) return BATCH_CLOSING.canceled;
  if (error.cause instanceof TimeoutFailure) return BATCH_CLOSING.timedOut;
  return BATCH_CLOSING.failed;
}
