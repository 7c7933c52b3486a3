import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { createActivities } from '../../../activities';
import type { Config } from '../../config';
import type { RecordStore } from '../../domain/records/record-store';
import { measuredStore } from '../../metrics/measured-store';
import { batchMetrics, saveMetrics } from '../../metrics/worker-metrics';
import { batcherAddress } from '../../temporal/shard/batcher-address';
import { Shards } from '../../temporal/shard/shards';
import { connectWorker } from '../../temporal/worker/worker-connection';
import { STANDING, watchVersion, type Standing } from '../../temporal/worker/first-version';
import { createWorker } from '../../temporal/worker/worker';
import { createWorkflowAccess } from '../../temporal/worker/workflow-access';
import { workflowCode } from '../../temporal/worker/workflow-bundle';
import type { Lifecycle } from './lifecycle';
import type { Measuring } from './measuring';
import { checkTemporal, type ReachedTemporal } from './temporal-role';

interface Context {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
  measuring: Measuring;
}

/** Starts the worker: workflows, and activities over a record store that is open. */
export async function startWorker(
  { config, logger, lifecycle, measuring }: Context,
  { target }: ReachedTemporal,
  client: Client,
  store: RecordStore,
): Promise<void> {
  await new Shards(client, batcherAddress(config), config).checkTaskQueue();
  const connection = await connectWorker(target);
  lifecycle.onStop("the worker's connection", () => connection.close());
  const { taskQueue, deployment, buildId, stackTraces } = config;
  const versioned = buildId !== '';
  const { registry } = measuring;
  let storeAway: { sinceMs: number } | undefined;
  const worker = await createWorker({
    connection,
    namespace: target.namespace,
    taskQueue,
    activities: createActivities({
      store: measuredStore(store, saveMetrics(registry, config.store)),
      workflows: createWorkflowAccess(client),
      onStoreAway: (away) => {
        storeAway = away;
        const { reason } = away;
        logger.warn({ reason }, 'the store is away: batches wait for it, and no attempt is used up');
      },
      onStoreBack: (_, awayForMs, isKnown) => {
        storeAway = undefined;
        logger.warn(
          { awayForMs },
          isKnown
            ? 'the store is back'
            : 'nothing waits for the store any more; whether it is back is not known',
        );
      },
    }),
    workflows: workflowCode({ versioned, stackTraces: stackTraces === 'on' }),
    version: versioned ? { deployment, buildId } : undefined,
    instruments: batchMetrics(registry),
  });
  const running = worker.run();
  running.catch((error: unknown) => lifecycle.fail(error));
  measuring.becomesReadyBy(async () => {
    await checkTemporal(client);
    return { storeAwaySince: storeAway === undefined ? null : new Date(storeAway.sinceMs).toISOString() };
  });
  if (versioned) {
    watchVersion(
      client,
      { deployment, taskQueue, buildId },
      tellStanding(buildId, logger),
      lifecycle.signal,
    ).catch((error: unknown) => {
      if (!lifecycle.signal.aborted) logger.error({ err: error }, 'lost sight of which build is current');
    });
  }
  lifecycle.onStop('the worker', async () => {
    worker.shutdown();
    await running;
  });
}

/** A build that gets no work has to say so: everything else about it looks healthy. */
function tellStanding(buildId: string, logger: Logger): (standing: Standing) => void {
  return ({ standing, current, reason }) => {
    if (standing === STANDING.active) logger.info({ buildId }, 'this build gets work');
    else if (standing === STANDING.madeCurrent)
      logger.info({ buildId }, 'the first build: it is current now');
    else if (standing === STANDING.unknown)
      logger.warn({ buildId, reason }, 'no telling which build is current');
    else {
      const instead = current === null ? 'workers without BUILD_ID do' : `build ${current} is current`;
      logger.warn(
        { buildId, current },
        `build ${buildId} gets no new work (${instead}): 'keepapart versions promote ${buildId}' changes that`,
      );
    }
  };
}
