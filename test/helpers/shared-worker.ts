import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../../src/contracts/workflow/activities';
import { MINUTE } from '../../src/domain/duration';
import { embeddedTarget } from '../../src/temporal/server/connection';
import { createWorker, type PipelineWorker } from '../../src/temporal/worker/worker';
import { connectWorker } from '../../src/temporal/worker/worker-connection';
import { bundleOfToday } from './builds';
import { testServer } from './temporal-server';

/**
 * A workflow task that takes longer by the clock is broken off, which the process doesn't survive on Node 20: "Workflow
 * execution context should have been disposed first", "async hook stack has become corrupted". The 5 s of the SDK are too
 * few where other processes have taken the cores. The SDK takes this option, though its types leave it out.
 */
const USUAL_TUNING = { shutdownGraceTime: 0, isolateExecutionTimeout: 10 * MINUTE };

/** A worker on the server of the run, with today's workflow code. */
export interface RunningWorker {
  taskQueue: string;
  /** Shuts it down gracefully. */
  stop(): Promise<void>;
}

export async function runWorker(
  taskQueue: string,
  activities: Activities,
  tuning: Partial<WorkerOptions> = {},
): Promise<RunningWorker> {
  quietRuntime();
  const target = embeddedTarget(testServer().address);
  const connection: NativeConnection = await connectWorker(target);
  const worker: PipelineWorker = await createWorker({
    connection,
    namespace: target.namespace,
    taskQueue,
    activities,
    workflows: { workflowBundle: bundleOfToday(false) },
    tuning: { ...USUAL_TUNING, ...tuning },
  });
  const ended = worker.run();
  return {
    taskQueue,
    async stop() {
      worker.shutdown();
      await ended;
      await connection.close();
    },
  };
}

/**
 * Starting a worker and its first workflow costs more than most tests do, so the pipelines of a suite share one. Which
 * activities run is decided by the workflow that asks: each pipeline's workflow ids begin with its name.
 */
const pipelines = new Map<string, Activities>();
let shared: Promise<RunningWorker> | undefined;

/** Whether there is a suite at whose end the shared worker is stopped: histories are recorded outside of Jest. */
export const canShareWorker = typeof afterAll === 'function';
if (canShareWorker) afterAll(async () => (await shared)?.stop());

/**
 * Lets the suite's worker serve the pipeline of this name as well, until `leave`. Afterwards activities of its workflows
 * fail, which aren't tried again.
 */
export async function joinSharedWorker(
  name: string,
  activities: Activities,
): Promise<{ taskQueue: string; leave(): void }> {
  pipelines.set(name, activities);
  shared ??= runWorker(`test-${randomUUID().slice(0, 8)}`, dispatching(Object.keys(activities)));
  const { taskQueue } = await shared;
  return { taskQueue, leave: () => void pipelines.delete(name) };
}

function dispatching(names: readonly string[]): Activities {
  const dispatch = (name: string) => (input: unknown) => {
    const workflowId = Context.current().info.workflowExecution?.workflowId ?? '';
    for (const [pipeline, activities] of pipelines) {
      if (!workflowId.startsWith(`${pipeline}-`)) continue;
      const call = activities[name as keyof Activities] as (input: unknown) => unknown;
      return call(input);
    }
    throw ApplicationFailure.nonRetryable(`the test of ${workflowId} is over`);
  };
  return Object.fromEntries(names.map((name) => [name, dispatch(name)])) as unknown as Activities;
}

let quieted = false;
/** Logs nothing but errors. */
export function quietRuntime(): void {
  if (quieted) return;
  quieted = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  });
}
