import type { Command } from 'commander';
import { registerDeadLetters } from './dead-letter-commands';
import { registerDrain } from './drain-command';

/** What operators do by hand: `dead-letters`, `redrive`, `drain`. */
export function registerOperatorCommands(program: Command): void {
  registerDeadLetters(program);
  registerDrain(program);
}
