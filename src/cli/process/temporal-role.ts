import { homedir } from 'node:os';
import type { Client } from '@temporalio/client';
import type { Config } from '../../config';
import type { Readiness } from '../../contracts/batcher-client';
import { KeepapartError } from '../../domain/errors';
import { readKeyRing } from '../../embed/encryption-keys';
import { startWebUi } from '../../http/web-ui';
import {
  connectClient,
  embeddedTarget,
  temporalTarget,
  type TemporalTarget,
} from '../../temporal/server/connection';
import type { KeyRing } from '../../temporal/codec/key-ring';
import { defaultCacheDir, resolveTemporalBinary } from '../../temporal/embedded/binary';
import { databaseServerVersion, startEmbeddedServer } from '../../temporal/embedded/embedded-server';
import { accepts, choosePorts, type Endpoint, LOOPBACK } from '../../temporal/embedded/ports';
import { checkNamespace, registerWithTemporal } from '../../temporal/server/register';
import type { Lifecycle } from './lifecycle';
import { progressLine } from '../terminal/progress-line';

/** Where Temporal is, and its Web UI where we know it. */
export interface ReachedTemporal {
  target: TemporalTarget;
  webUiUrl?: string;
}

/** The environment without what is unset, as Temporal's own configuration takes it. */
function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Whether `TEMPORAL_ADDRESS` names a server; then nothing is embedded. */
export function namesTemporal(): boolean {
  return (process.env['TEMPORAL_ADDRESS'] ?? '') !== '';
}

/** The server that Temporal's environment configuration names. */
export function externalTemporal(): ReachedTemporal {
  return { target: temporalTarget(environment()) };
}

/** An embedded server that runs, in this process's care or in another's. */
export function runningTemporal(address: string, uiUrl: string | undefined): ReachedTemporal {
  const target = embeddedTarget(address, process.env['TEMPORAL_NAMESPACE'] || undefined);
  if (uiUrl === undefined) return { target };
  return { target, webUiUrl: `${uiUrl}/namespaces/${encodeURIComponent(target.namespace)}/workflows` };
}

/** The namespace that is configured, for what asks no server. */
export function temporalNamespace(): string {
  const reached = namesTemporal() ? externalTemporal() : runningTemporal('', undefined);
  return reached.target.namespace;
}

/** The Temporal server that is configured, or that a running `keepapart serve` has embedded. */
export async function findTemporal({
  temporalPort,
  uiPort,
}: Pick<Config, 'temporalPort' | 'uiPort'>): Promise<ReachedTemporal | undefined> {
  if (namesTemporal()) return externalTemporal();
  if (temporalPort === 0 || !(await accepts(temporalPort))) return undefined;
  return runningTemporal(`${LOOPBACK}:${temporalPort}`, `http://${LOOPBACK}:${uiPort}`);
}

/**
 * Runs something with a client of the server that {@link findTemporal} finds, and closes the connection afterwards.
 * @param otherwise what else the user can do where there is none, as in `or audit without --temporal`
 * @throws KeepapartError `temporal-unavailable` where there is none
 */
export async function withTemporal<T>(
  config: Pick<Config, 'temporalPort' | 'uiPort' | 'encryptionKeys' | 'encryptionKeysFile'>,
  run: (client: Client) => Promise<T>,
  otherwise?: string,
): Promise<T> {
  const temporal = await findTemporal(config);
  if (temporal === undefined) {
    const ways = ['start keepapart', 'set TEMPORAL_ADDRESS', ...(otherwise === undefined ? [] : [otherwise])];
    throw new KeepapartError(
      'temporal-unavailable',
      `No Temporal server runs at port ${config.temporalPort} (TEMPORAL_PORT): ${ways.slice(0, -1).join(', ')}, or ${ways.at(-1)}.`,
    );
  }
  const client = await connectClient(temporal.target, await readKeyRing(config));
  try {
    return await run(client);
  } finally {
    await client.connection.close();
  }
}

/**
 * Finds, downloads or builds Temporal's development server, starts it on the database in `DATA_DIR`, and waits until it
 * answers. The process fails when the server ends by itself.
 */
export async function startTemporal(config: Config, lifecycle: Lifecycle): Promise<ReachedTemporal> {
  const env = environment();
  const progress = progressLine(process.stderr);
  const binary = await resolveTemporalBinary({
    cacheDir: defaultCacheDir(env, homedir()),
    env,
    databaseVersion: await databaseServerVersion(config.dataDir),
    onProgress: progress.show,
    signal: lifecycle.signal,
  }).finally(progress.end);
  // Opened first, so that nobody takes the port meanwhile.
  const behind: { ui?: Endpoint | undefined } = {};
  const [uiPort = 0] = await choosePorts([{ port: config.uiPort, setting: 'UI_PORT' }]);
  const allowedHosts = config.allowedHosts.split(',');
  const webUi = await startWebUi({ port: uiPort, allowedHosts, target: () => behind.ui });
  lifecycle.onStop("Temporal's Web UI", () => webUi.close());
  const server = await startEmbeddedServer({
    binary: binary.path,
    dataDir: config.dataDir,
    port: config.temporalPort,
    webUi: true,
    codecEndpoint: codecEndpointOf(config),
    env,
    signal: lifecycle.signal,
  });
  behind.ui = server.webUi;
  lifecycle.onStop('the Temporal server', () => server.stop());
  void server.exited.then(({ requested }) => {
    if (requested) return;
    lifecycle.fail(
      new KeepapartError(
        'temporal-unavailable',
        `The embedded Temporal server has ended; see ${server.logFile}.`,
      ),
    );
  });
  return runningTemporal(server.address, webUi.url);
}

/** Where the Web UI decrypts: the API of this machine, which then has such routes. */
function codecEndpointOf({ codecOrigins, httpPort, tlsCertFile }: Config): string | undefined {
  if (codecOrigins === '' || httpPort === 0) return undefined;
  return `${tlsCertFile === '' ? 'http' : 'https'}://${LOOPBACK}:${httpPort}/codec`;
}

/** Connects, and registers namespace and search attributes; every role does, so that the order of starting is free. */
export async function connect({ target }: ReachedTemporal, lifecycle: Lifecycle, keys?: KeyRing) {
  const client = await connectClient(target, keys);
  lifecycle.onStop('the connection to Temporal', () => client.connection.close());
  await registerWithTemporal(client);
  return client;
}

/** Resolves when Temporal answers and the namespace is there. @throws KeepapartError `temporal-unavailable` */
export async function checkTemporal(client: Client): Promise<Readiness> {
  await checkNamespace(client);
  return { storeAwaySince: null };
}
