/*
 * A workflow interceptor that tells a batcher when somebody has reset it. It belongs in every bundle that runs or replays
 * workflows.
 *
 * Somebody who resets a workflow with Temporal's tools ends its run and begins another with the first events of that run.
 * The new run doesn't know what the old one did after these events, and nothing in the API of the SDK says that it was
 * reset. But a run that was reset gets another seed for its random numbers, at the same point of each replay. The SDK keeps
 * that seed in its internal state, and no interceptor learns of the change (1.24.0). `test/workflows/reset.test.ts` fails
 * if a later version keeps it elsewhere.
 *
 * The workflow function gets the notice as an argument after its input, as modules are shared by all workflows of a thread.
 */
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { getActivator } from '@temporalio/workflow/lib/global-attributes';

/** How often the workflow has been reset, up to the current point of its history. */
export interface Resets {
  count: number;
}

/** Called once for each workflow. */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const resets: Resets = { count: 0 };
  const activator = getActivator();
  let seed = activator.randomnessSeed;
  return {
    inbound: [{ execute: (input, next) => next({ ...input, args: [...input.args, resets] }) }],
    internals: [
      {
        activate(input, next) {
          if (activator.randomnessSeed !== seed) {
            seed = activator.randomnessSeed;
            resets.count++;
          }
          next(input);
        },
      },
    ],
  };
};
