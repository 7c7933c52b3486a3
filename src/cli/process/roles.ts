import type { Logger } from 'pino';
import { showPostgresUrl, type Config, type LoadedConfig } from '../../config';
import { choosePorts, type PortWish } from '../../temporal/embedded/ports';
import { restrictFiles } from './file-access';
import type { Lifecycle } from './lifecycle';
import { startMeasuring } from './measuring';
import { startTracing } from './start-tracing';
import { openKeyRing } from '../../embed/encryption-keys';
import { openStore } from '../../embed/open-store';
import { showBucket } from '../../embed/s3-client';
import type { Summary } from '../terminal/summary';
import { readTlsFiles } from './tls-files';
import {
  checkTemporal,
  connect,
  externalTemporal,
  namesTemporal,
  startTemporal,
  type ReachedTemporal,
} from './temporal-role';

/** The parts of the system that a process may run. */
export const ROLES = {
  serve:
    'run everything in one process: worker, API, and an embedded Temporal server unless TEMPORAL_ADDRESS is set',
  api: 'run only the HTTP API and the TCP gateway, with the Temporal server at TEMPORAL_ADDRESS',
  worker: 'run only a worker, with the Temporal server at TEMPORAL_ADDRESS',
  temporal: 'run only the embedded Temporal server and its Web UI',
} as const;
export type Role = keyof typeof ROLES;

/**
 * Starts what a role consists of, from the inside out: what can fail fast first (store, certificate, ports), then
 * Temporal, worker, API. Whatever was started when something fails is stopped by the lifecycle.
 * @param reached a Temporal server that is there already, instead of one that is embedded or named by the environment
 * @returns where everything is
 */
export async function startRole(
  role: Role,
  { config }: LoadedConfig,
  logger: Logger,
  lifecycle: Lifecycle,
  reached?: ReachedTemporal,
): Promise<Summary> {
  restrictFiles(config);
  const measuring = await startMeasuring(role, { config, logger, lifecycle });
  const tracing = role === 'temporal' ? undefined : await startTracing({ config, logger, lifecycle });
  const context = { config, logger, lifecycle, measuring, tracing };
  const hasApi = role === 'serve' || role === 'api';
  const hasWorker = role === 'serve' || role === 'worker';
  const embeds = reached === undefined && (role === 'temporal' || (role === 'serve' && !namesTemporal()));

  const { signal } = lifecycle;
  const keys = role === 'temporal' ? undefined : await openKeyRing(config, { logger, signal });
  const store = hasWorker ? await openStore(context) : undefined;
  const tls = hasApi ? await readTlsFiles(config) : undefined;
  if (hasApi && embeds) await choosePorts(apiPorts(config));
  // Express and the SDK's worker take a second to load, so only who has the part does. And only a worker has the SDK's
  // native runtime, which would keep any other process alive.
  if (hasWorker)
    (await import('../../temporal/worker/runtime.js')).installRuntime(logger, measuring.temporalAt);
  const temporal = embeds ? await startTemporal(config, lifecycle) : (reached ?? externalTemporal());
  const client = await connect(temporal, lifecycle, keys);
  if (role === 'temporal') measuring.becomesReadyBy(() => checkTemporal(client));
  if (store !== undefined) {
    const { startWorker } = await import('./worker-role.js');
    await startWorker(context, temporal, client, store);
  }
  const addresses = hasApi
    ? await (await import('./api-role.js')).startApi(context, client, temporal.webUiUrl, tls)
    : undefined;
  return {
    ...addresses,
    webUiUrl: temporal.webUiUrl,
    temporalAddress: temporal.target.options.address,
    outDir: hasWorker ? config.outDir : undefined,
    postgres: hasWorker && config.store === 'postgres' ? showPostgresUrl(config.postgresUrl) : undefined,
    s3: hasWorker && config.store === 's3' ? showBucket(config) : undefined,
    needsKey: config.apiKeys.length > 0,
  };
}

function apiPorts({ httpPort, tcpPort }: Config): PortWish[] {
  const http = { port: httpPort, setting: 'HTTP_PORT' };
  const tcp = { port: tcpPort, setting: 'TCP_PORT', zero: 'to do without the TCP gateway' };
  return tcpPort === 0 ? [http] : [http, tcp];
}
