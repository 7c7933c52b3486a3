import path from 'node:path';
import { DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';
import { createActivities } from '../../activities';
import type { RecordStore } from '../../src/domain/record-store';
import { embeddedTarget } from '../../src/temporal/server/connection';
import { createWorker } from '../../src/temporal/worker/worker';
import { createWorkflowAccess } from '../../src/temporal/worker/workflow-access';
import { connectWorker } from '../../src/temporal/worker/worker-connection';
import { bundleForWorkers } from '../../src/temporal/worker/workflow-bundle';
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

/** What the build made; global-setup.ts sees to it that it is fresh. */
export function bundleOfToday(versioned: boolean): WorkflowBundleOption {
  const name = versioned ? 'workflow-bundle-versioned.js' : 'workflow-bundle.js';
  return { codePath: path.resolve(__dirname, '../../dist', name) };
}

/** Bundles other workflow code than today's. */
export function bundleOf(workflowsPath: string): Promise<WorkflowBundleOption> {
  return bundleForWorkers(workflowsPath, new DefaultLogger('ERROR'));
}
