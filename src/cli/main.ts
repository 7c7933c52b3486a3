#!/usr/bin/env node
import './thread-pool';
import { Command } from 'commander';
import { registerApiCommands } from './api-commands';
import { registerAudit } from './audit-command';
import { endWithOutput } from './closed-output';
import { nameHelpAfterErrors } from './help-after-errors';
import { EXIT, reportFailure } from './report-failure';
import { releaseVersion } from '../embed/release';
import { registerRules } from './rules-commands';
import { registerStore } from './store-command';
import { registerSystemCommands } from './system-commands';

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
