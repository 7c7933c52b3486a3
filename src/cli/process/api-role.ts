import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../../config';
import { SECOND } from '../../domain/duration';
import { createHttpApi } from '../../http/app';
import { listen, type TlsPair } from '../../http/listen';
import { apiMetrics } from '../../metrics/api-metrics';
import { batcherMetrics } from '../../metrics/batcher-metrics';
import { expiryMetrics } from '../../metrics/expiry-metrics';
import { startGateway } from '../../tcp/gateway';
import { batcherAddress } from '../../temporal/shard/batcher-address';
import { createBatcherClient } from '../../temporal/batcher-client';
import { Shards } from '../../temporal/shard/shards';
import { connectionLimits } from './connection-limits';
import type { Lifecycle } from './lifecycle';
import type { Measuring } from './measuring';
import { DASHBOARD_FOLDER, releaseVersion, SWAGGER_UI_FOLDER } from './release';
import { watchTlsFiles } from './tls-files';

/** The answer names each record. */
const MAX_REQUEST_RECORDS = 10_000;

/** How long requests and lists that are under way may take to finish when the process stops. */
const GRACE_MS = 10 * SECOND;

/** However many scrape, batchers are asked no more often; and nobody waits longer for one that doesn't answer. */
const SCRAPE = { everyMs: 5 * SECOND, waitMs: 1 * SECOND };

/** Where clients find this process. */
export interface ApiAddresses {
  apiUrl: string;
  /** `host:port` of the TCP gateway; undefined when it is turned off. */
  gatewayAddress: string | undefined;
}

interface Context {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
  measuring: Measuring;
}

/**
 * Starts the HTTP API and the TCP gateway, and with them the batchers: they begin to be, and take over this process's
 * settings, by a signal that needs no worker.
 * @param tls what the settings name for it
 */
export async function startApi(
  { config, logger, lifecycle, measuring }: Context,
  client: Client,
  webUiUrl: string | undefined,
  tls: TlsPair | undefined,
): Promise<ApiAddresses> {
  const { registry, metrics } = measuring;
  const instruments = apiMetrics(registry);
  const shards = new Shards(client, batcherAddress(config), config, undefined, instruments);
  await shards.checkTaskQueue();
  await shards.configure('api at start');
  let draining = false;
  const batcher = createBatcherClient(client, shards);
  batcherMetrics(registry, config, () => batcher.readings.look(SCRAPE));
  expiryMetrics(registry, () => batcher.expiry.look());
  measuring.becomesReadyBy(() => batcher.checkReady());
  const edge = {
    batcher,
    instruments,
    limits: { ...config, maxRequestRecords: Math.min(config.maxBufferedRecords, MAX_REQUEST_RECORDS) },
    logger,
    isDraining: () => draining,
  };
  const api = createHttpApi({
    ...edge,
    version: releaseVersion(),
    metrics,
    docsAssets: SWAGGER_UI_FOLDER,
    uiAssets: DASHBOARD_FOLDER,
    apiKeys: config.apiKeys,
    allowedHosts: config.allowedHosts.split(','),
    rateLimitPerSecond: config.rateLimitPerSecond,
    tls: tls !== undefined,
    ...(webUiUrl !== undefined && { webUiUrl }),
  });
  const connections = connectionLimits();
  const http = await listen(api.handle, {
    host: config.httpHost,
    port: config.httpPort,
    maxConnections: connections.http,
    logger,
    instruments,
    ...(tls && { tls }),
  });
  if (tls) watchTlsFiles(config, tls, { logger, onRenewed: http.renewCertificate, signal: lifecycle.signal });
  const stopHttp = () => {
    draining = true;
    return http.close({ graceMs: GRACE_MS });
  };
  lifecycle.onStop('the HTTP API', stopHttp);
  if (config.tcpPort === 0) return { apiUrl: http.url, gatewayAddress: undefined };

  const gateway = await startGateway(edge, {
    port: config.tcpPort,
    bounds: { maxConnections: connections.tcp },
  });
  // Side by side: the grace is one, and neither takes what the other refuses already.
  lifecycle.onStop('the TCP gateway', async () => {
    await Promise.all([stopHttp(), gateway.close({ graceMs: GRACE_MS })]);
  });
  return { apiUrl: http.url, gatewayAddress: gateway.address };
}
