/** gRPC's numbers; the package that names them is a dependency of the SDK, not ours. */
export const GRPC_STATUS = { notFound: 5, resourceExhausted: 8, failedPrecondition: 9 } as const;

/** What a call has failed with. */
export interface GrpcStatus {
  code: number;
  details: string;
}

/** What the server says of a message to a run whose task is about to end it. */
const CLOSING = /workflow is closing/i;

/** What it says of an update that such a task had, which could not end the run as a message came meanwhile. */
const ABORTED = /update due to unexpected workflow task failure/i;

/**
 * Whether a message was not taken because the run that it was for tries to end, and can be sent again to the next one.
 *
 * A run can't end while messages arrive: the server has the task that was to end it repeated with them. While it is
 * repeated, the server takes no messages; but an update that comes nevertheless makes it forget that (1.29), so that
 * messages are taken again, and the run has to go on. Whoever is told this has to send nothing for a while.
 */
export function isRunClosing({ code, details }: GrpcStatus): boolean {
  return (
    (code === GRPC_STATUS.resourceExhausted && CLOSING.test(details)) ||
    (code === GRPC_STATUS.failedPrecondition && ABORTED.test(details))
  );
}

/** Whether the server doesn't know a workflow: it was deleted, or closed longer ago than the namespace retains. */
export function isWorkflowNotFound({ code, details }: GrpcStatus): boolean {
  // Without a namespace everything in it is away, not gone.
  return code === GRPC_STATUS.notFound && !/^namespace /i.test(details);
}
