import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { createActivities } from '../../activities';
import type { Config } from '../config';
import { createFailingStore } from '../store/failing-store';
import { createFileStore } from '../store/file-store';
import { sweep } from '../store/sweep';
import { connectWorker } from '../temporal/connection';
import { createWorker } from '../temporal/worker';
import { createWorkflowAccess } from '../temporal/workflow-access';
import { workflowCode } from '../temporal/workflow-bundle';
import type { Lifecycle } from './lifecycle';
import type { ReachedTemporal } from './temporal-role';

/** Starts the worker: workflows, activities and the file store. The folders have been prepared before. */
export async function startWorker(
  { config, logger, lifecycle }: { config: Config; logger: Logger; lifecycle: Lifecycle },
  { target }: ReachedTemporal,
  client: Client,
): Promise<void> {
  const swept = await sweep(config);
  logger.debug(swept, 'cleared what crashed attempts had left behind');
  const store = createFailingStore(createFileStore(config), { failureRate: config.saveFailureRate });
  const connection = await connectWorker(target);
  lifecycle.onStop("the worker's connection", () => connection.close());
  const worker = await createWorker({
    connection,
    namespace: target.namespace,
    taskQueue: config.taskQueue,
    activities: createActivities({ store, workflows: createWorkflowAccess(client) }),
    workflows: workflowCode(),
  });
  const running = worker.run();
  running.catch((error: unknown) => lifecycle.fail(error));
  lifecycle.onStop('the worker', async () => {
    worker.shutdown();
    await running;
  });
}
