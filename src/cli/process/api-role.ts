import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../../config';
import { SECOND } from '../../domain/duration';
import { assembleApi } from '../../embed/assemble-api';
import { listen, type TlsPair } from '../../http/listen';
import { startGateway } from '../../tcp/gateway';
import { connectionLimits } from './connection-limits';
import type { Tracing } from '../../contracts/tracing';
import type { Lifecycle } from './lifecycle';
import type { Measuring } from './measuring';
import { watchTlsFiles } from './tls-files';

/** How long requests and lists that are under way may take to finish when the process stops. */
const GRACE_MS = 10 * SECOND;

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
  tracing: Tracing | undefined;
}

/**
 * Starts the HTTP API and the TCP gateway, and with them the batchers: they begin to be, and take over this process's
 * settings, by a signal that needs no worker.
 * @param tls what the settings name for it
 */
export async function startApi(
  { config, logger, lifecycle, measuring, tracing }: Context,
  client: Client,
  webUiUrl: string | undefined,
  tls: TlsPair | undefined,
): Promise<ApiAddresses> {
  const { registry, metrics, meter } = measuring;
  let draining = false;
  const { http: api, edge } = await assembleApi({
    ...{ config, client, logger, registry, metrics, meter, tracing },
    isDraining: () => draining,
    tls: tls !== undefined,
    ...(webUiUrl !== undefined && { webUiUrl }),
  });
  const forget = api.remember();
  lifecycle.onStop('the history of the API', () => {
    forget();
    return Promise.resolve();
  });
  measuring.becomesReadyBy(() => edge.batcher.checkReady());
  const connections = connectionLimits();
  const http = await listen(api.handle, {
    host: config.httpHost,
    port: config.httpPort,
    maxConnections: connections.http,
    logger,
    instruments: edge.instruments,
    ...(tls && { tls }),
  });
  if (tls) watchTlsFiles(config, tls, { logger, onRenewed: http.renewCertificate, signal: lifecycle.signal });
  const stopHttp = () => {
    draining = true;
    return http.close({ graceMs: GRACE_MS });
  };
  lifecycle.onStop('the HTTP API', stopHttp);
  if (config.tcpPort === 0) return { apiUrl: http.url, gatewayAddress: undefined };

  const gateway = await startGateway(
    { ...edge, logger },
    {
      port: config.tcpPort,
      bounds: { maxConnections: connections.tcp },
    },
  );
  // Side by side: the grace is one, and neither takes what the other refuses already.
  lifecycle.onStop('the TCP gateway', async () => {
    await Promise.all([stopHttp(), gateway.close({ graceMs: GRACE_MS })]);
  });
  return { apiUrl: http.url, gatewayAddress: gateway.address };
}
