import { isGrpcServiceError, ServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { KeepapartError, isKeepapartError } from '../../domain/errors';
import { SECOND } from '../../domain/duration';
import { isWorkflowNotFound } from './grpc-status';

/** How long a call may take, repeats included. The client of the API is told to come back after that. */
const DEADLINE_MS = 10 * SECOND;
const COME_BACK_AFTER_MS = 1 * SECOND;

/**
 * Runs calls to Temporal under a deadline, and turns what the server or the network fails with into
 * `temporal-unavailable`. `WorkflowNotFoundError` passes: it is an answer. The calls of `client.workflow` throw it by
 * themselves, for those of `client.workflowService` it is made here.
 */
export async function callTemporal<T>(client: Client, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + DEADLINE_MS, call);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isKeepapartError(error)) throw error;
    if (isGrpcServiceError(error) && isWorkflowNotFound(error))
      throw new WorkflowNotFoundError(`${what}: ${error.details}`, '', undefined);
    if (!(error instanceof ServiceError) && !isGrpcServiceError(error) && !isUnanswered(error)) throw error;
    const reason = (error instanceof ServiceError ? error.cause?.message : undefined) ?? error.message;
    throw new KeepapartError('temporal-unavailable', `${what}: ${reason}`, {
      cause: error,
      retryAfterMs: COME_BACK_AFTER_MS,
    });
  }
}

/** An update that no worker answered; recognised by its name, as the SDK's class isn't for branching across versions. */
function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && /^WorkflowUpdateRPCTimeout/.test(error.name);
}
