import type { Command } from 'commander';
import { registerControls } from './control-commands';
import { registerDeadLetters } from './dead-letter-commands';
import { registerImport } from './import/import-command';
import { registerLimits } from './limits-commands';
import { registerSend } from './send/send-command';
import { registerStatus } from './status-command';
import { registerViews } from './view-commands';

/** What senders and operators do through the HTTP API. Nothing here may load Temporal or Express. */
export function registerApiCommands(program: Command): void {
  program.commandsGroup('Through the HTTP API:');
  registerSend(program);
  registerImport(program);
  registerStatus(program);
  registerViews(program);
  registerControls(program);
  registerLimits(program);
  registerDeadLetters(program);
}
