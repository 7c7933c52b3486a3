import type { Client } from '@temporalio/client';
import { createActivities } from '../../activities';
import type { Config } from '../config';
import type { Readiness } from '../contracts/batcher-client';
import type { SaveInstruments } from '../contracts/instruments';
import type { Log } from '../contracts/log';
import type { Tracing } from '../contracts/tracing';
import type { RecordStore } from '../domain/records/record-store';
import { measuredStore } from '../metrics/measured-store';
import type { MetricRegistry } from '../metrics/registry';
import { batchMetrics, saveMetrics } from '../metrics/worker-metrics';
import { dataConverterOf, keyRingOf } from '../temporal/codec/data-converter';
import { checkNamespace } from '../temporal/server/register';
import { auditForApi } from './audit/audit-for-api';
import { batcherAddress } from '../temporal/shard/batcher-address';
import { Shards } from '../temporal/shard/shards';
import { STANDING, watchVersion, type Standing } from '../temporal/worker/first-version';
import type { WorkerSetup } from '../temporal/worker/worker';
import { createWorkflowAccess } from '../temporal/worker/workflow-access';
import { workflowCode } from '../temporal/worker/workflow-bundle';

interface Context {
  config: Config;
  client: Client;
  logger: Log;
  registry: MetricRegistry;
  /** Also receives the times of saves, for an API in the same process. */
  meter?: SaveInstruments | undefined;
  /** Creates spans. Default: none. */
  tracing?: Tracing | undefined;
  /** Open. */
  store: RecordStore;
  /** Aborted when the worker is to stop. */
  signal: AbortSignal;
}

/** A worker that is not running yet. */
export interface WorkerParts {
  setup: WorkerSetup;
  /** Whether Temporal answers, and since when the store is away. @throws `temporal-unavailable` */
  checkReady(): Promise<Readiness>;
  /** Watches over the build of the worker, where it has one, until it gets work. Called once the worker runs. */
  followVersion(): void;
}

/**
 * Creates what a worker runs.
 * @throws `invalid-config` if a batcher runs on another task queue
 */
export async function assembleWorker(context: Context): Promise<WorkerParts> {
  const { config, client, logger, registry, meter, tracing, store, signal } = context;
  await new Shards(client, batcherAddress(config), config).checkTaskQueue();
  const { taskQueue, deployment, buildId, stackTraces } = config;
  const versioned = buildId !== '';
  let storeAway: { sinceMs: number } | undefined;
  return {
    setup: {
      namespace: client.options.namespace,
      taskQueue,
      activities: createActivities({
        store: measuredStore(store, withMeter(saveMetrics(registry, config.store), meter)),
        workflows: createWorkflowAccess(client),
        tracing,
        runAudit: auditForApi(client, config),
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
      workflows: workflowCode({
        versioned,
        stackTraces: stackTraces === 'on',
        encrypted: keyRingOf(client) !== undefined,
      }),
      dataConverter: dataConverterOf(client),
      version: versioned ? { deployment, buildId } : undefined,
      instruments: batchMetrics(registry),
      tracing,
    },
    async checkReady() {
      await checkNamespace(client);
      return { storeAwaySince: storeAway === undefined ? null : new Date(storeAway.sinceMs).toISOString() };
    },
    followVersion() {
      if (!versioned) return;
      const address = { deployment, taskQueue, buildId };
      watchVersion(client, address, tellStanding(buildId, logger), signal).catch((err: unknown) => {
        if (!signal.aborted) logger.error({ err }, 'can no longer find out which build is current');
      });
    },
  };
}

function withMeter(metrics: SaveInstruments, meter: SaveInstruments | undefined): SaveInstruments {
  if (meter === undefined) return metrics;
  return {
    saveEnded(result, seconds) {
      metrics.saveEnded(result, seconds);
      meter.saveEnded(result, seconds);
    },
  };
}

/** A build that gets no work must be reported, because everything else about it looks healthy. */
function tellStanding(buildId: string, logger: Log): (standing: Standing) => void {
  return ({ standing, current, reason }) => {
    if (standing === STANDING.active) logger.info({ buildId }, 'this build gets work');
    else if (standing === STANDING.madeCurrent)
      logger.info({ buildId }, 'this is the first build, so it is current now');
    else if (standing === STANDING.unknown)
      logger.warn({ buildId, reason }, 'cannot find out which build is current');
    else {
      const instead = current === null ? 'workers without BUILD_ID do' : `build ${current} is current`;
      logger.warn(
        { buildId, current },
        `build ${buildId} gets no new work (${instead}): 'keepapart versions promote ${buildId}' changes that`,
      );
    }
  };
}
