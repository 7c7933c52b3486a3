import {
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import {
  CHILD_CLOSING,
  completedWith,
  type ChildClosing,
  type ChildClosingStatus,
} from '../../contracts/workflow/activities';
import type { ChildWorkflow } from '../../contracts/workflow/child';

/**
 * Long-polls until a child closes, and returns how. Rejects if the signal is aborted, or if Temporal can't be reached.
 */
export async function waitForChild(
  client: Client,
  childId: string,
  signal: AbortSignal,
): Promise<ChildClosing> {
  try {
    const handle = client.workflow.getHandle<ChildWorkflow>(childId);
    return completedWith(await client.withAbortSignal(signal, () => handle.result()));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const status = closingStatusOf(error);
    if (status === undefined) throw error;
    return { status, batches: 0, saved: 0, rolledBack: 0, retries: 0 };
  }
}

function closingStatusOf(error: unknown): ChildClosingStatus | undefined {
  if (error instanceof WorkflowNotFoundError) return CHILD_CLOSING.notFound;
  if (!(error instanceof WorkflowFailedError)) return undefined;
  if (error.cause instanceof TerminatedFailure) return CHILD_CLOSING.terminated;
  if (error.cause instanceof CancelledFailure) return CHILD_CLOSING.canceled;
  if (error.cause instanceof TimeoutFailure) return CHILD_CLOSING.timedOut;
  return CHILD_CLOSING.failed;
}
