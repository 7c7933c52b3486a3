#!/usr/bin/env node
import { Command } from 'commander';
import { describeConfig, renderConfigTable } from '../config';
import { createLogger } from './logger';
import { addSettingFlags, readConfig } from './read-config';
import { reportFailure } from './report-failure';
import { ROLES, startRole, type Role } from './roles';
import { runUntilStopped } from './run';

type Flags = Readonly<Record<string, unknown>>;

const program = new Command('keepapart')
  .description('Durable micro-batching over HTTP that keeps conflicting records apart, on Temporal.')
  .showHelpAfterError();

for (const [role, description] of Object.entries(ROLES) as [Role, string][]) {
  addSettingFlags(program.command(role).description(description)).action(async (flags: Flags) => {
    const loaded = readConfig(flags);
    const logger = createLogger(loaded.config);
    process.exitCode = await runUntilStopped(logger, (lifecycle) =>
      startRole(role, loaded, logger, lifecycle),
    );
  });
}

addSettingFlags(program.command('config').description('print every setting in force and where it came from'))
  .option('--json', 'as JSON')
  .action((flags: Flags) => {
    const rows = describeConfig(readConfig(flags));
    process.stdout.write(
      flags['json'] === true ? `${JSON.stringify(rows, null, 2)}\n` : renderConfigTable(rows),
    );
  });

program.parseAsync().catch((error: unknown) => {
  process.exitCode = reportFailure(error);
});
