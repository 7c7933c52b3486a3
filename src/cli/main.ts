#!/usr/bin/env node
import './process/thread-pool';
import { Command } from 'commander';
import { registerCommands } from './commands/command-table';
import { nameHelpAfterErrors, refuseUnknownSubcommand, styleHelp } from './terminal/command-help';
import { EXIT, reportFailure } from './process/report-failure';
import { releaseVersion } from '../embed/release';

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
  const args = process.argv.slice(2);
  styleHelp(program);
  await registerCommands(program, args[0]);
  nameHelpAfterErrors(program, 'keepapart');
  refuseUnknownSubcommand(program, args);
  await program.parseAsync();
}

/** As a shell reports a process that SIGPIPE ended. */
const ENDED_BY_SIGPIPE = 141;

/**
 * Ends the process without a word when nobody reads its output any more, as in `keepapart batches | head -1`: what cleans
 * up after SIGTERM does so, else it ends as other programs do.
 */
function endWithOutput(streams: readonly NodeJS.WriteStream[]): void {
  let ended = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (ended) return;
    ended = true;
    if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
    else process.exit(ENDED_BY_SIGPIPE);
  };
  for (const stream of streams) stream.on('error', onError);
}
