#!/usr/bin/env node
import './process/thread-pool';
import { Command } from 'commander';
import { registerApiCommands } from './commands/api-commands';
import { registerAudit } from './commands/audit/audit-command';
import { endWithOutput } from './terminal/closed-output';
import { nameHelpAfterErrors } from './terminal/help-after-errors';
import { EXIT, reportFailure } from './process/report-failure';
import { releaseVersion } from './process/release';
import { registerRules } from './commands/rules/rules-commands';
import { registerStore } from './commands/store-test/store-command';
import { registerSystemCommands } from './commands/system-commands';

const program = new Command('keepapart')
  .description('Durable micro-batching over HTTP that keeps conflicting records apart, on Temporal.')
  .version(releaseVersion())
  // A wrong option is a command that has to be changed, as reportFailure has it.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.wrong));

endWithOutput([process.stdout, process.stderr]);
run().catch((error: unknown) => {
  process.exitCode = reportFailure(error);
});

async function run(): Promise<void> {
  registerApiCommands(program);
  registerRules(program);
  registerStore(program);
  registerAudit(program);
  const [, , called] = process.argv;
  if (!program.commands.some((command) => command.name() === called)) {
    await registerSystemCommands(program, called);
  }
  nameHelpAfterErrors(program, 'keepapart');
  await program.parseAsync();
}
