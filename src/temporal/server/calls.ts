import { isGrpcServiceError, ServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { KeepapartError, isKeepapartError } from '../../domain/errors';
import { SECOND } from '../../domain/duration';
import { isWorkflowNotFound } from './grpc-status';

/** Maximum time of a call, retries included. After that, the API's client is asked to retry. */
const DEADLINE_MS = 10 * SECOND;
const RETRY_AFTER_MS = 1 * SECOND;

/**
 * Runs calls to Temporal under a deadline, and turns errors of the server or the network into `temporal-unavailable`
 * (retried by the client). `WorkflowNotFoundError` is passed on, because it is an answer: `client.workflow` throws it
 * itself, and for `client.workflowService` it is created here.
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
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
}

/**
 * The result of a call about a workflow; undefined if the server doesn't know the workflow, because it was deleted or its
 * retention period has passed.
 */
export async function ifKnown<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** An update that no worker answered. Matched by name, because the SDK's class differs between versions. */
function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && /^WorkflowUpdateRPCTimeout/.test(error.name);
}
