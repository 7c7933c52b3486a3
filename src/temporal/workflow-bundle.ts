import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, type Logger, type WorkflowBundleOption } from '@temporalio/worker';

/** Built beside the compiled workflows, so that a worker starts without a bundler. */
interface Code {
  prebuilt: string;
  sources: string;
}
const ROOT = path.resolve(__dirname, '../..');
const PLAIN: Code = {
  prebuilt: path.join(ROOT, 'workflow-bundle.js'),
  sources: path.join(ROOT, 'workflows/index'),
};
/** For workers that have a build. */
const VERSIONED: Code = {
  prebuilt: path.join(ROOT, 'workflow-bundle-versioned.js'),
  sources: path.join(ROOT, 'workflows/versioned'),
};

/**
 * The prebuilt bundle where there is one (compiled code), else the sources for the SDK to bundle.
 * @param versioned whether it is for a worker that has a build
 */
export function workflowCode(
  versioned: boolean,
): { workflowBundle: WorkflowBundleOption } | { workflowsPath: string } {
  const { prebuilt, sources } = versioned ? VERSIONED : PLAIN;
  return existsSync(prebuilt)
    ? { workflowBundle: { codePath: prebuilt } }
    : { workflowsPath: require.resolve(sources) };
}

/** Bundles the workflows, both ways, and writes them beside the compiled ones; a step of the build. */
export async function buildWorkflowBundle(logger: Logger): Promise<void> {
  for (const { prebuilt, sources } of [PLAIN, VERSIONED]) {
    const { code } = await bundleWorkflowCode({ workflowsPath: require.resolve(sources), logger });
    await writeFile(prebuilt, code);
  }
}
