import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts messages and stack traces of failures into a payload, which is encrypted. Every bundle for workers has this module,
 * as the SDK takes one only when it bundles; the first line of the bundle says that a worker doesn't encrypt (`SHOWS_FAILURES`
 * in `workflow-bundle.ts`), and messages are to be read in Temporal's Web UI then.
 */
export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: !('keepapartShowsFailures' in globalThis),
});
