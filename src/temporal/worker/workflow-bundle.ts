import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FAILURE_CONVERTER_PATH } from '../codec/data-converter';
import { bundleWorkflowCode, type Logger, type WorkflowBundleOption } from '@temporalio/worker';

/** Built next to the compiled workflows, so that a worker starts without a bundler. */
interface Code {
  prebuilt: string;
  sources: string;
}
const ROOT = path.resolve(__dirname, '../../..');
const PLAIN: Code = {
  prebuilt: path.join(ROOT, 'workflow-bundle.js'),
  sources: path.join(ROOT, 'workflows/index'),
};
/** For workers with a build. */
const VERSIONED: Code = {
  prebuilt: path.join(ROOT, 'workflow-bundle-versioned.js'),
  sources: path.join(ROOT, 'workflows/versioned'),
};

/** The bundle of the workflows for workers without a build, of a keepapart that is built. */
export const WORKFLOW_BUNDLE_PATH = PLAIN.prebuilt;

/** Included in every bundle that a worker runs, see there. The SDK accepts interceptors only as modules. */
const INTERCEPTORS = ['query-guard', 'reset-notice'].map((module) => path.join(ROOT, 'workflows', module));

/** Workflow code in the form that the SDK's worker expects. */
export type WorkflowCode =
  | { workflowBundle: WorkflowBundleOption }
  | { workflowsPath: string; interceptors: { workflowModules: string[] } };

/**
 * Makes the SDK's worker record no stack traces in workflows. It records one for each promise, for the query
 * `__stack_trace`, and looks up each line in the source map: up to half the work of a workflow thread (decision 20). The
 * sandbox freezes `Error` once the bundle is loaded, so this must be its first line.
 */
export const WITHOUT_STACK_TRACES = 'Error.stackTraceLimit = 0; ';

/** Makes a bundle leave messages of failures in clear; see `workflows/failure-converter.ts`. */
const SHOWS_FAILURES = 'globalThis.keepapartShowsFailures = true; ';

/**
 * The prebuilt bundle if there is one (compiled code), else the sources, which the SDK bundles and which keep stack traces.
 * @param versioned whether the worker has a build
 * @param stackTraces whether workflows keep stack traces
 * @param encrypted whether the worker encrypts payloads; then failures of workflows go into payloads. Default: no
 */
export function workflowCode({
  versioned,
  stackTraces,
  encrypted = false,
}: {
  versioned: boolean;
  stackTraces: boolean;
  encrypted?: boolean;
}): WorkflowCode {
  const { prebuilt, sources } = versioned ? VERSIONED : PLAIN;
  if (!existsSync(prebuilt)) {
    return { workflowsPath: require.resolve(sources), interceptors: { workflowModules: INTERCEPTORS } };
  }
  const first = (stackTraces ? '' : WITHOUT_STACK_TRACES) + (encrypted ? '' : SHOWS_FAILURES);
  return { workflowBundle: { code: first + readFileSync(prebuilt, 'utf8') } };
}

/** Bundles the workflows, both variants, next to the compiled ones; a step of the build. */
export async function buildWorkflowBundle(logger: Logger): Promise<void> {
  for (const { prebuilt, sources } of [PLAIN, VERSIONED]) {
    const { code } = await bundleForWorkers(require.resolve(sources), logger);
    await writeFile(prebuilt, withLeanMap(code));
  }
}

const MAP = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

/**
 * The bundle with a source map that knows places and not the sources, and nothing of the machine it was built on: half
 * the size. The SDK needs a map, and a stack trace needs no more.
 */
function withLeanMap(code: string): string {
  const at = code.lastIndexOf(MAP);
  if (at < 0) throw new TypeError('the bundle has no source map where it was looked for');
  const map = JSON.parse(Buffer.from(code.slice(at + MAP.length), 'base64').toString()) as {
    sources: string[];
  };
  // The sources are next to the folder that they are compiled to. Modules that the SDK leaves out have a path in their name.
  const root = path.dirname(ROOT);
  const sources = map.sources.map((source) =>
    path.isAbsolute(source) ? path.relative(root, source) : source.replace(`${root}/`, ''),
  );
  const lean = JSON.stringify({ ...map, sources, sourcesContent: undefined });
  return code.slice(0, at) + MAP + Buffer.from(lean).toString('base64');
}

/**
 * Bundles workflow code for workers.
 * @param workflowsPath the module that exports the workflows
 */
export function bundleForWorkers(workflowsPath: string, logger: Logger): Promise<{ code: string }> {
  return bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: INTERCEPTORS,
    failureConverterPath: FAILURE_CONVERTER_PATH,
    // Evaluated once per thread rather than per workflow, because none of our modules keeps state of a workflow.
    preloadModules: [workflowsPath, ...INTERCEPTORS],
    logger,
  });
}
