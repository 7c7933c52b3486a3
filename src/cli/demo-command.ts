import path from 'node:path';
import type { Logger } from 'pino';
import type { LoadedConfig } from '../config';
import { choosePorts } from '../temporal/embedded/ports';
import { isKeepapartError } from '../domain/errors';
import { answers } from './demo/api-calls';
import { runDemo } from './demo/demo';
import { FAILURE_RATE } from './demo/scenario';
import type { StoppableLifecycle } from './lifecycle';
import { startRole } from './roles';
import { namesTemporal } from './temporal-role';

/**
 * The demo against the system that runs at the configured address, or against one of its own: with saves that fail on
 * purpose, its data in a folder of its own, and free ports where the usual ones are taken. An own system stays up on a
 * terminal until Ctrl-C, so that its Web UI can be looked at.
 */
export async function demo(
  loaded: LoadedConfig,
  key: string | undefined,
  logger: Logger,
  lifecycle: StoppableLifecycle,
): Promise<void> {
  const { config } = loaded;
  const configuredUrl = `http://${config.httpHost}:${config.httpPort}`;
  if (await answers(configuredUrl)) {
    const webUi = `http://127.0.0.1:${config.uiPort}/namespaces/default/workflows`;
    const webUiUrl = namesTemporal() || !(await answersAtAll(webUi)) ? undefined : webUi;
    await runDemo({ apiUrl: configuredUrl, webUiUrl, key, own: false });
    lifecycle.requestStop();
    return;
  }
  process.stderr.write(
    `keepapart: nothing answers at ${configuredUrl}, starting a system of the demo's own\n`,
  );
  const dataDir = path.join(config.dataDir, 'demo');
  const own: LoadedConfig = {
    ...loaded,
    config: {
      ...config,
      dataDir,
      outDir: path.join(dataDir, 'out'),
      saveFailureRate: FAILURE_RATE,
      httpPort: await freePort(config.httpPort),
      temporalPort: await freePort(config.temporalPort),
      uiPort: await freePort(config.uiPort),
      logLevel: 'warn',
    },
  };
  const { apiUrl, webUiUrl } = await startRole('serve', own, logger, lifecycle);
  if (apiUrl === undefined) throw new TypeError('serve has an API');
  await runDemo({ apiUrl, webUiUrl, key, own: true });
  process.stdout.write(`The files are in ${path.resolve(own.config.outDir)}.\n`);
  if (process.stdout.isTTY) process.stdout.write('Ctrl-C ends the demo and its system.\n');
  else lifecycle.requestStop();
}

/** The wished port, or 0 where it is taken. */
async function freePort(port: number): Promise<number> {
  try {
    await choosePorts([{ port, setting: 'PORT' }]);
    return port;
  } catch (error) {
    if (isKeepapartError(error)) return 0;
    throw error;
  }
}

async function answersAtAll(url: string): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
}
