import type { Command } from 'commander';
import { KeepapartApiError } from '../../client';
import { KeepapartError } from '../../domain/errors';
import { DASHBOARD_FOLDER, releaseVersion } from '../../embed/release';
import { untilInterrupted } from '../process/until-interrupted';
import { addApiFlags, apiUrlOf, openApi, type Flags } from './api-access';

/** `keepapart dashboard`: the dashboard of this release, on this machine, for an API elsewhere. Runs until Ctrl-C. */
export function registerDashboard(program: Command): void {
  addApiFlags(
    program.command('dashboard').description('serve the dashboard on this machine, for the API at --url'),
  )
    .option('--port <port>', 'port on 127.0.0.1; 0 for any free one', '0')
    .addHelpText(
      'after',
      '\nThe page asks for a key where the API needs one; the key stays in that tab.\n' +
        '\nExample:\n  $ keepapart dashboard --url https://keepapart.example',
    )
    .action(async (flags: Flags) => {
      const port = portOf(flags['port']);
      const apiUrl = apiUrlOf(flags);
      // Says at once when nothing answers there.
      const needsKey = await asksForKey(flags);
      // Express takes a while to load, which no other command should wait for.
      const { startLocalDashboard } = await import('../../http/local-dashboard.js');
      const assets = { version: releaseVersion(), uiAssets: DASHBOARD_FOLDER };
      const dashboard = await startLocalDashboard({ apiUrl, needsKey, port, ...assets });
      process.stdout.write(`The dashboard of ${apiUrl} is at ${dashboard.url}\nCtrl-C ends it.\n`);
      await untilInterrupted(
        (signal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
      );
      await dashboard.close();
    });
}

/** Asked without a key, as the page begins without one. */
async function asksForKey(flags: Flags): Promise<boolean> {
  try {
    await openApi(flags, undefined, { apiKey: undefined }).me();
    return false;
  } catch (error) {
    if (error instanceof KeepapartApiError && error.code === 'unauthorized') return true;
    throw error;
  }
}

function portOf(flag: unknown): number {
  const port = typeof flag === 'string' && /^\d{1,5}$/.test(flag) ? Number(flag) : NaN;
  if (port <= 65_535) return port;
  throw new KeepapartError(
    'invalid-config',
    `--port has to be a port from 0 to 65535; it is ${String(flag)}.`,
  );
}
