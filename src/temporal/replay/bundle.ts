import path from 'node:path';
import { DefaultLogger, bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';

/** The workflow code of this installation; sources if those are what runs. */
const WORKFLOWS = path.resolve(__dirname, '../../../workflows');
const REPORT = path.join(WORKFLOWS, 'replay/report');

/**
 * Bundles workflow code so that `replayHistories` can observe it. It takes seconds, and is done on demand rather than by
 * the build, because few need it. The query guard is left out: for an open run, a replay also receives the events after
 * the last task, which the guard forbids, and which are harmless here.
 */
export function bundleForReplay(workflowsPath = WORKFLOWS): Promise<WorkflowBundleOption> {
  return bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [REPORT],
    logger: new DefaultLogger('ERROR'),
  });
}
