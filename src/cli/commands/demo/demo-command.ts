import path from 'node:path';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { Config, LoadedConfig } from '../../../config';
import { LOOPBACK } from '../../../temporal/embedded/ports';
import { runDemo } from './demo';
import { FAILURE_RATE } from './scenario';
import type { StoppableLifecycle } from '../../process/lifecycle';
import { createLogger } from '../../process/logger';
import { addUnlistedSettingFlags, readConfig } from '../../process/read-config';
import { startRole } from '../../process/roles';
import { runUntilStopped } from '../../process/run';
import { findTemporal } from '../../process/temporal-role';

/** `keepapart demo`. */
export function registerDemo(program: Command): void {
  addUnlistedSettingFlags(
    program
      .command('demo')
      .description('show keepapart at work with failing saves; starts a system if none is running'),
  ).action(async (flags: Readonly<Record<string, unknown>>) => {
    const loaded = readConfig(flags);
    const logger = createLogger({ logLevel: 'warn' });
    // As after a role: nothing of a library's may hold the process up.
    process.exit(await runUntilStopped(logger, (lifecycle) => demo(loaded, logger, lifecycle)));
  });
}

/**
 * The demo, on the Temporal server of the system that runs, or on one of its own where none does. API and worker are
 * the demo's in any case, with a batcher, a task queue and folders of its own: its saves fail on purpose, and nobody
 * else's may. A Temporal server of the demo's own stays up on a terminal until Ctrl-C, so that its Web UI can be looked at.
 */
async function demo(loaded: LoadedConfig, logger: Logger, lifecycle: StoppableLifecycle): Promise<void> {
  const temporal = await findTemporal(loaded.config);
  process.stderr.write(
    temporal === undefined
      ? 'keepapart: no system runs here, starting a Temporal server for the demo\n'
      : `keepapart: using the Temporal server at ${temporal.target.options.address}\n`,
  );
  const config = demoConfig(loaded.config);
  const { apiUrl, webUiUrl } = await startRole('serve', { ...loaded, config }, logger, lifecycle, temporal);
  if (apiUrl === undefined) throw new TypeError('serve has an API');
  await runDemo({ apiUrl, webUiUrl });
  process.stdout.write(`The files are in ${path.resolve(config.outDir)}.\n`);
  if (temporal === undefined && process.stdout.isTTY) process.stdout.write('Ctrl-C ends the demo.\n');
  else lifecycle.requestStop();
}

function demoConfig(config: Config): Config {
  const dataDir = path.join(config.dataDir, 'demo');
  return {
    ...config,
    httpHost: LOOPBACK,
    httpPort: 0,
    metricsPort: 0,
    tcpPort: 0,
    apiKeys: [],
    rateLimitPerSecond: 0,
    tlsCertFile: '',
    tlsKeyFile: '',
    batcherId: 'demo',
    taskQueue: `${config.taskQueue}-demo`,
    buildId: '',
    store: 'file',
    dataDir,
    outDir: path.join(dataDir, 'out'),
    saveFailureRate: FAILURE_RATE,
  };
}
