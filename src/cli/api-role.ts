import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../config';
import { SECOND } from '../domain/duration';
import { createApp } from '../http/app';
import { listen, type TlsPair } from '../http/listen';
import { batcherAddress } from '../temporal/batcher-address';
import { createBatcherClient } from '../temporal/batcher-client';
import { createIngest } from '../temporal/ingest';
import type { Lifecycle } from './lifecycle';
import { watchTlsFiles } from './tls-files';

/** The answer names each record. */
const MAX_REQUEST_RECORDS = 10_000;

/** How long requests that run may take to finish when the process stops. */
const GRACE_MS = 10 * SECOND;

/**
 * Starts the HTTP API, and with it the batchers: they begin to be, and take over this process's settings, by a signal
 * that needs no worker.
 * @param tls what the settings name for it
 * @returns where the API listens
 */
export async function startApi(
  { config, logger, lifecycle }: { config: Config; logger: Logger; lifecycle: Lifecycle },
  client: Client,
  webUiUrl: string | undefined,
  tls: TlsPair | undefined,
): Promise<string> {
  const address = batcherAddress(config);
  await createIngest(client, address).configure('api at start');
  let draining = false;
  const app = createApp({
    batcher: createBatcherClient(client, address, config),
    limits: { ...config, maxRequestRecords: Math.min(config.maxBufferedRecords, MAX_REQUEST_RECORDS) },
    apiKeys: config.apiKeys,
    rateLimitPerSecond: config.rateLimitPerSecond,
    tls: tls !== undefined,
    logger,
    ...(webUiUrl !== undefined && { webUiUrl }),
    isDraining: () => draining,
  });
  const { url, close, renewCertificate } = await listen(app, {
    host: config.httpHost,
    port: config.httpPort,
    ...(tls && { tls }),
  });
  if (tls) watchTlsFiles(config, tls, { logger, onRenewed: renewCertificate, signal: lifecycle.signal });
  lifecycle.onStop('the HTTP API', () => {
    draining = true;
    return close({ graceMs: GRACE_MS });
  });
  return url;
}
