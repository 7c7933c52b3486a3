import { isGrpcServiceError } from '@temporalio/client';

/** gRPC status codes that we handle. The package that names them is a dependency of the SDK, not ours. */
export const GRPC_STATUS = {
  cancelled: 1,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
} as const;

/** Why a call failed. */
export interface GrpcStatus {
  code: number;
  details: string;
}

/** The server's message when a signal or update reaches a run whose workflow task is about to end it. */
const CLOSING = /workflow is closing/i;

/** Its message for an update in a task that could not end the run, because another message arrived. */
const ABORTED = /update due to unexpected workflow task failure/i;

/**
 * Whether a message was refused because its run is trying to end; it can be sent to the next run.
 *
 * A run can't end while messages arrive: the server retries the closing task with them. During the retry it accepts no
 * messages. But an update that arrives anyway makes the server (1.29) drop that state, so it accepts messages again and
 * the run has to continue. So the caller must stop sending for a while.
 */
export function isRunClosing({ code, details }: GrpcStatus): boolean {
  return (
    (code === GRPC_STATUS.resourceExhausted && CLOSING.test(details)) ||
    (code === GRPC_STATUS.failedPrecondition && ABORTED.test(details))
  );
}

/** Whether the server doesn't know a workflow: it was deleted, or its retention period has passed. */
export function isWorkflowNotFound({ code, details }: GrpcStatus): boolean {
  // A missing namespace means unavailable, not deleted.
  return code === GRPC_STATUS.notFound && !/^namespace /i.test(details);
}

/** Whether a raw gRPC call failed with one of these status codes. */
export function hasFailedWith(error: unknown, ...codes: readonly number[]): error is Error & GrpcStatus {
  return isGrpcServiceError(error) && codes.includes(error.code);
}
