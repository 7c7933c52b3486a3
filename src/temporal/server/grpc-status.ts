/** gRPC's numbers; the package that names them is a dependency of the SDK, not ours. */
export const GRPC_STATUS = { resourceExhausted: 8, failedPrecondition: 9 } as const;

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
