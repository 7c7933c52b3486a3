import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { QUERY_REFUSED } from '../contracts/query-guard';
import { KeepapartError, isKeepapartError } from '../domain/errors';
import { SECOND } from '../domain/duration';

/** How long a call may take, repeats included. The client of the API is told to come back after that. */
const DEADLINE_MS = 10 * SECOND;
const COME_BACK_AFTER_MS = 1 * SECOND;
/** Until a query is repeated that met the guard: about as long as the workflow task takes that is due. */
const ASK_AGAIN_AFTER_MS = 100;

/**
 * Runs calls to Temporal under a deadline, and turns what the server or the network fails with into
 * `temporal-unavailable`. `WorkflowNotFoundError` passes: it is an answer.
 */
export async function callTemporal<T>(client: Client, what: string, call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  try {
    return await client.withDeadline(deadline, () => repeatRefusedQuery(call, deadline));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isKeepapartError(error)) throw error;
    if (!(error instanceof ServiceError) && !isGrpcServiceError(error) && !isUnanswered(error)) throw error;
    const reason = (error instanceof ServiceError ? error.cause?.message : undefined) ?? error.message;
    throw new KeepapartError('temporal-unavailable', `${what}: ${reason}`, {
      cause: error,
      retryAfterMs: COME_BACK_AFTER_MS,
    });
  }
}

async function repeatRefusedQuery<T>(call: () => Promise<T>, deadline: number): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const isRefused = error instanceof Error && error.message.includes(QUERY_REFUSED);
      if (!isRefused || Date.now() + ASK_AGAIN_AFTER_MS >= deadline) throw error;
    }
    await sleep(ASK_AGAIN_AFTER_MS);
  }
}

/** A query or an update that no worker answered; told by name, as the SDK's class isn't for branching across versions. */
function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && /^Query|^WorkflowUpdateRPCTimeout/.test(error.name);
}
