import { InvalidArgumentError, type Command } from 'commander';
import type { Client } from '@temporalio/client';
import type { Config } from '../../config';
import type { VersionsView } from '../../contracts/workflow/versions';
import { KeepapartError } from '../../domain/errors';
import { promote, readVersions } from '../../temporal/worker/versions';
import { addUnlistedSettingFlags, readConfig } from '../process/read-config';
import { withTemporal } from '../process/temporal-role';
import { table } from '../terminal/table';
import { jsonText } from '../terminal/text';

type Flags = Readonly<Record<string, unknown>>;

/** `keepapart versions`: which builds there are, and which one gets the work. */
export function registerVersions(program: Command): void {
  const versions = addUnlistedSettingFlags(
    program.command('versions').description('list the worker builds and the work each has left'),
  )
    .option('--json', 'as JSON')
    .action((flags: Flags) =>
      withClient(flags, async (client, config) => print(await readVersions(client, config), flags)),
    );
  addUnlistedSettingFlags(
    versions
      .command('promote')
      .argument('[build]', 'a build with running workers')
      .description('make a build current: it receives new batches and the batchers'),
  )
    .option('--percent <n>', 'send only this percentage to the build; 0 ends the ramp', percent)
    .option('--unversioned', 'instead of a build: workers without BUILD_ID')
    .option('--json', 'as JSON')
    .action((build: string | undefined, own: Flags, command: Command) => {
      // Flags that both commands have are read by the outer one, wherever they stand.
      const flags: Flags = { ...own, ...command.optsWithGlobals<Flags>() };
      if ((build === undefined) !== (flags['unversioned'] === true)) {
        throw new KeepapartError('invalid-config', 'Name either a build or --unversioned.');
      }
      return withClient(flags, async (client, config) => {
        await promote(client, config.deployment, {
          buildId: build ?? null,
          percent: flags['percent'] as number | undefined,
        });
        print(await readVersions(client, config), flags);
      });
    });
}

function withClient(flags: Flags, run: (client: Client, config: Config) => Promise<void>): Promise<void> {
  const { config } = readConfig(flags);
  return withTemporal(config, (client) => run(client, config));
}

function percent(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('expected a number from 0 to 100.');
}

function print(view: VersionsView, flags: Flags): void {
  const { deployment, taskQueue, current, versions } = view;
  const text =
    flags['json'] === true ? jsonText({ deployment, taskQueue, current, versions }, 2) : renderVersions(view);
  process.stdout.write(`${text}\n`);
}

/** One line a build, in columns. Workers without a build only where there are any, or where they get work. */
export function renderVersions({ versions }: VersionsView): string {
  const shown = versions.filter(
    ({ buildId, percent, workers }) => buildId !== null || percent || workers > 0,
  );
  const rows = [
    ['BUILD', 'STATE', 'SHARE', 'OPEN BATCHES', 'WORKERS', 'FIRST SEEN'],
    ...shown.map(({ buildId, state, percent, openBatches, workers, firstSeenAt }) => [
      buildId ?? '-',
      state,
      percent === null ? '-' : `${percent} %`,
      String(openBatches ?? '-'),
      String(workers),
      firstSeenAt ?? '-',
    ]),
  ];
  return table(rows, [2, 3, 4]);
}
