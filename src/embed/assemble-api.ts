import type { Client } from '@temporalio/client';
import type { Config } from '../config';
import type { BatcherClient } from '../contracts/batcher-client';
import type { HttpInstruments, IntakeInstruments } from '../contracts/instruments';
import type { Log } from '../contracts/log';
import { SECOND } from '../domain/duration';
import type { RecordLimits } from '../edge/records';
import { createHttpApi, type HttpApi } from '../http/app';
import type { HttpDeps } from '../http/deps';
import { apiMetrics, expiryMetrics } from '../metrics/api-metrics';
import { batcherMetrics } from '../metrics/batcher-metrics';
import type { LiveMeter } from '../metrics/live-meter';
import type { MetricRegistry } from '../metrics/registry';
import { createBatcherClient } from '../temporal/batcher-client';
import { batcherAddress } from '../temporal/shard/batcher-address';
import { Shards } from '../temporal/shard/shards';
import { DASHBOARD_FOLDER, releaseVersion, SWAGGER_UI_FOLDER } from './release';

/** The answer names each record. */
const MAX_REQUEST_RECORDS = 10_000;

/** However many scrape, batchers are asked no more often; and nobody waits longer for one that doesn't answer. */
const SCRAPE = { everyMs: 5 * SECOND, waitMs: 1 * SECOND };

/** What an API is made of; what isn't given here is as configured. */
export interface ApiSetup extends Pick<
  HttpDeps,
  'authorize' | 'isDraining' | 'metrics' | 'tls' | 'webUiUrl'
> {
  config: Config;
  client: Client;
  logger: Log;
  registry: MetricRegistry;
  /** What the dashboard shows of this process. */
  meter: LiveMeter;
}

/** An API that doesn't listen yet. */
export interface ApiParts {
  http: HttpApi;
  /** What every way in needs, HTTP or not. */
  edge: {
    batcher: BatcherClient;
    instruments: HttpInstruments & IntakeInstruments;
    limits: RecordLimits;
    logger: Log;
    isDraining: () => boolean;
  };
}

/**
 * Makes an API, and starts the batchers: they begin to be, and take over these settings, by a signal that needs no worker.
 * @throws `invalid-config` where a batcher runs on another task queue; `temporal-unavailable`
 */
export async function assembleApi(setup: ApiSetup): Promise<ApiParts> {
  const { config, client, logger, registry, meter, isDraining, ...given } = setup;
  const instruments = withMeter(apiMetrics(registry), meter);
  const shards = new Shards(client, batcherAddress(config), config, undefined, instruments);
  await shards.checkTaskQueue();
  await shards.configure('api at start');
  const batcher = createBatcherClient(client, shards);
  batcherMetrics(registry, config, () => batcher.readings.look(SCRAPE));
  expiryMetrics(registry, () => batcher.expiry.look());
  const maxRequestRecords = Math.min(config.maxBufferedRecords, MAX_REQUEST_RECORDS);
  const edge = { batcher, instruments, limits: { ...config, maxRequestRecords }, logger, isDraining };
  const http = createHttpApi({
    ...edge,
    ...given,
    figures: () => meter.take(),
    version: releaseVersion(),
    docsAssets: SWAGGER_UI_FOLDER,
    uiAssets: DASHBOARD_FOLDER,
    apiKeys: config.apiKeys,
    allowedHosts: config.allowedHosts.split(','),
    rateLimitPerSecond: config.rateLimitPerSecond,
  });
  return { http, edge };
}

type ApiInstruments = ReturnType<typeof apiMetrics>;

function withMeter(metrics: ApiInstruments, meter: LiveMeter): ApiInstruments {
  return {
    ...metrics,
    refused(code) {
      metrics.refused(code);
      meter.refused(code);
    },
    committed(requests, seconds) {
      metrics.committed(requests, seconds);
      meter.committed(requests, seconds);
    },
  };
}
