import type { Client } from '@temporalio/client';
import { hasFailingExample, type Config } from '../config';
import type { BatcherClient } from '../contracts/batcher-client';
import type { HttpInstruments, IntakeInstruments } from '../contracts/instruments';
import type { Log } from '../contracts/log';
import type { Tracing } from '../contracts/tracing';
import { SECOND } from '../domain/duration';
import type { RecordLimits } from '../edge/records';
import { createHttpApi, type HttpApi } from '../http/app';
import type { HttpDeps } from '../http/deps';
import { apiMetrics, expiryMetrics } from '../metrics/api-metrics';
import { batcherMetrics } from '../metrics/batcher-metrics';
import type { LiveMeter } from '../metrics/live-meter';
import type { MetricRegistry } from '../metrics/registry';
import { createBatcherClient } from '../temporal/batcher-client';
import { keyRingOf } from '../temporal/codec/data-converter';
import { payloadCoderOf } from '../temporal/codec/json-codec';
import { batcherAddress } from '../temporal/shard/batcher-address';
import { Shards } from '../temporal/shard/shards';
import { DASHBOARD_FOLDER, releaseVersion, SWAGGER_UI_FOLDER } from './release';

/** The answer lists each record. */
const MAX_REQUEST_RECORDS = 10_000;

/** Batchers are asked at most this often, however many scrapers there are, and waited for at most this long. */
const SCRAPE = { everyMs: 5 * SECOND, waitMs: 1 * SECOND };

/** The parts of an API; whatever isn't given here comes from the configuration. */
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
  /** Creates spans. Default: none. */
  tracing?: Tracing | undefined;
}

/** An API that is not listening yet. */
export interface ApiParts {
  http: HttpApi;
  /** What HTTP and the line protocol both need. */
  edge: {
    batcher: BatcherClient;
    instruments: HttpInstruments & IntakeInstruments;
    limits: RecordLimits;
    logger: Log;
    tracing: Tracing | undefined;
    isDraining: () => boolean;
  };
}

/**
 * Makes an API, and starts the batchers: they begin to be, and take over these settings, by a signal that needs no worker.
 * @throws `invalid-config` where a batcher runs on another task queue; `temporal-unavailable`
 */
export async function assembleApi(setup: ApiSetup): Promise<ApiParts> {
  const { config, client, logger, registry, meter, tracing, isDraining, ...given } = setup;
  const instruments = withMeter(apiMetrics(registry), meter);
  const shards = new Shards(client, batcherAddress(config), config, undefined, instruments, tracing);
  await shards.checkTaskQueue();
  await shards.configure('api at start');
  // Batchers hash with a key that is derived from the one that encrypts.
  keyRingOf(client)?.onOtherKey(() => {
    shards.configure('api with another encryption key').catch((err: unknown) => {
      logger.error({ err }, 'the batchers still hash request ids with the key from before: restart an API');
    });
  });
  const batcher = createBatcherClient(client, shards);
  batcherMetrics(registry, config, () => batcher.readings.look(SCRAPE));
  expiryMetrics(registry, () => batcher.expiry.look());
  const maxRequestRecords = Math.min(config.maxBufferedRecords, MAX_REQUEST_RECORDS);
  const edge = {
    batcher,
    instruments,
    limits: { ...config, maxRequestRecords },
    logger,
    tracing,
    isDraining,
  };
  const http = createHttpApi({
    ...edge,
    ...given,
    figures: () => meter.take(),
    failingExample: hasFailingExample(config.store),
    version: releaseVersion(),
    docsAssets: SWAGGER_UI_FOLDER,
    uiAssets: DASHBOARD_FOLDER,
    apiKeys: config.apiKeys,
    codec: codecOf(config, client),
    allowedHosts: config.allowedHosts.split(','),
    rateLimitPerSecond: config.rateLimitPerSecond,
  });
  return { http, edge };
}

function codecOf({ codecOrigins }: Config, client: Client): HttpDeps['codec'] {
  if (codecOrigins === '') return undefined;
  const origins = codecOrigins === 'none' ? [] : codecOrigins.split(',');
  return { origins, coder: payloadCoderOf(client) };
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
