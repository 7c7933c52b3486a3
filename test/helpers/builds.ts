import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { createActivities } from '../../activities';
import { MIB } from '../../src/domain/duration';
import type { RecordStore } from '../../src/domain/records/record-store';
import { embeddedTarget } from '../../src/temporal/server/connection';
import { createWorker } from '../../src/temporal/worker/worker';
import { createWorkflowAccess } from '../../src/temporal/worker/workflow-access';
import { connectWorker } from '../../src/temporal/worker/worker-connection';
import { WITHOUT_STACK_TRACES } from '../../src/temporal/worker/workflow-bundle';
import type { TestPipeline } from './pipeline';
import { testServer } from './temporal-server';

/** A worker of one build beside those of others, on the pipeline's task queue and store. */
export interface TestBuild {
  /** The values that this build's worker has begun to save, in order. */
  readonly began: unknown[];
  stop(): Promise<void>;
}

export interface BuildOptions {
  /** None for a worker without versioning. */
  buildId?: string;
  /** Today's workflow code by default. */
  workflowBundle?: WorkflowBundleOption;
}

/** The deployment is named like the pipeline's batcher. */
export async function startBuild(
  { client, store, address }: TestPipeline,
  { buildId, workflowBundle }: BuildOptions,
): Promise<TestBuild> {
  const deployment = address.batcherId;
  const target = embeddedTarget(testServer().address);
  const began: unknown[] = [];
  const noting: RecordStore = {
    ...store,
    save: (record, batch) => {
      began.push(record.value);
      return store.save(record, batch);
    },
  };
  const connection = await connectWorker(target);
  const worker = await createWorker({
    connection,
    namespace: target.namespace,
    taskQueue: address.taskQueue,
    activities: createActivities({ store: noting, workflows: createWorkflowAccess(client) }),
    workflows: { workflowBundle: workflowBundle ?? bundleOfToday(buildId !== undefined) },
    version: buildId === undefined ? undefined : { deployment, buildId },
    tuning: { shutdownGraceTime: 0, identity: `${buildId ?? 'no build'} of ${deployment}` },
  });
  const ended = worker.run();
  let stopping: Promise<void> | undefined;
  return {
    began,
    stop: () =>
      (stopping ??= (async () => {
        worker.shutdown();
        await ended;
        await connection.close();
      })()),
  };
}

/** What the build made, as a worker runs it; global-setup.ts sees to it that it is fresh. */
export function bundleOfToday(versioned: boolean): WorkflowBundleOption {
  const name = versioned ? 'workflow-bundle-versioned.js' : 'workflow-bundle.js';
  return { code: WITHOUT_STACK_TRACES + readFileSync(path.resolve(__dirname, '../../dist', name), 'utf8') };
}

const RUN_TYPESCRIPT = path.join(__dirname, 'run-typescript.js');
const BUNDLER = `
  const { DefaultLogger } = require('@temporalio/worker');
  const { bundleForWorkers } = require('./src/temporal/worker/workflow-bundle.ts');
  bundleForWorkers(process.argv[1], new DefaultLogger('ERROR')).then(({ code }) => process.stdout.write(code));
`;

/** Bundles other workflow code than today's, in a process of its own: the bundler is slow among Jest's modules. */
export async function bundleOf(workflowsPath: string): Promise<WorkflowBundleOption> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-r', RUN_TYPESCRIPT, '-e', BUNDLER, workflowsPath],
    { cwd: path.resolve(__dirname, '../..'), maxBuffer: 64 * MIB },
  );
  return { code: stdout };
}
