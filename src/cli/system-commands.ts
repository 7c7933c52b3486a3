import type { Command } from 'commander';
import { describeConfig, renderConfigTable } from '../config';
import { registerBench } from './bench-command';
import { demo } from './demo-command';
import { registerDrain } from './drain-command';
import { createLogger } from './logger';
import { addSettingFlags, readConfig } from './read-config';
import { addReplayCommand } from './replay-command';
import { ROLES, startRole, type Role } from './roles';
import { runUntilStopped } from './run';
import { renderSummary } from './summary';
import { registerVersions } from './versions-command';

/*
 * Whoever has run a role or the demo exits instead of waiting for the event loop to run empty: everything of ours has
 * been stopped by then, and what a library keeps open (a native runtime, a connection that hangs) must not hold it up.
 */

type Flags = Readonly<Record<string, unknown>>;

/** What runs the system, or looks at it from beneath: in its folders, at its Temporal server. */
export function registerSystemCommands(program: Command): void {
  program.commandsGroup('The system itself:');
  for (const [role, description] of Object.entries(ROLES) as [Role, string][]) {
    addSettingFlags(program.command(role).description(description)).action(async (flags: Flags) => {
      const loaded = readConfig(flags);
      const logger = createLogger(loaded.config);
      const code = await runUntilStopped(logger, async (lifecycle) => {
        process.stdout.write(renderSummary(await startRole(role, loaded, logger, lifecycle)));
      });
      process.exit(code);
    });
  }

  addSettingFlags(
    program
      .command('demo')
      .description('show it at work, with saves that fail, on the running system or without one'),
  ).action(async (flags: Flags) => {
    const loaded = readConfig(flags);
    const logger = createLogger({ logLevel: 'warn' });
    process.exit(await runUntilStopped(logger, (lifecycle) => demo(loaded, logger, lifecycle)));
  });

  addSettingFlags(
    program.command('config').description('print every setting in force and where it came from'),
  )
    .option('--json', 'as JSON')
    .action((flags: Flags) => {
      const rows = describeConfig(readConfig(flags));
      process.stdout.write(
        flags['json'] === true ? `${JSON.stringify(rows, null, 2)}\n` : renderConfigTable(rows),
      );
    });

  registerBench(program);
  registerDrain(program);
  addReplayCommand(program);
  registerVersions(program);
}
