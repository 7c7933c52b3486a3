import path from 'node:path';
import { DefaultLogger, bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';

/** The code that this installation's workers run; sources where they are what runs. */
const WORKFLOWS = path.resolve(__dirname, '../../../workflows');
const REPORT = path.join(WORKFLOWS, 'replay/report');

/**
 * Bundles workflow code so that `replayHistories` can see what it does. Takes seconds; it is done when it is asked for,
 * and not by the build, as few ever ask. The guard against queries stays out: of an open run, a replay is handed the
 * events after the last task too, just as the guard forbids, and here nothing comes of them.
 */
export function bundleForReplay(workflowsPath = WORKFLOWS): Promise<WorkflowBundleOption> {
  return bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [REPORT],
    logger: new DefaultLogger('ERROR'),
  });
}
