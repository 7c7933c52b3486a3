import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, type Logger, type WorkflowBundleOption } from '@temporalio/worker';

/** Built beside the compiled workflows, so that a worker starts without a bundler. */
const PREBUILT = path.resolve(__dirname, '../../workflow-bundle.js');
const WORKFLOWS = path.resolve(__dirname, '../../workflows');

/** The prebuilt bundle where there is one (compiled code), else the sources for the SDK to bundle. */
export function workflowCode(): { workflowBundle: WorkflowBundleOption } | { workflowsPath: string } {
  return existsSync(PREBUILT) ? { workflowBundle: { codePath: PREBUILT } } : { workflowsPath: WORKFLOWS };
}

/** Bundles the workflows and writes {@link PREBUILT}; a step of the build. */
export async function buildWorkflowBundle(logger: Logger): Promise<void> {
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger });
  await writeFile(PREBUILT, code);
}
