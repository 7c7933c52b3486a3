import type { Command } from 'commander';
import { registerControls } from './control-commands';
import { registerDeadLetters } from './dead-letter-commands';
import { registerDrain } from './drain-command';
import { registerStatus } from './status-command';
import { registerViews } from './view-commands';

/** What operators look at and do by hand: `status`, `batches`, `request`, `flush`, `pause`, `dead-letters`, … */
export function registerOperatorCommands(program: Command): void {
  registerStatus(program);
  registerViews(program);
  registerControls(program);
  registerDeadLetters(program);
  registerDrain(program);
}
