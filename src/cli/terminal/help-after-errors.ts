import type { Command } from 'commander';

/** After an error in a command line, one line says where the help is: all of it would push the error off the screen. */
export function nameHelpAfterErrors(command: Command, name: string): void {
  command.showHelpAfterError(`See \`${name} --help\`.`);
  for (const inner of command.commands) nameHelpAfterErrors(inner, `${name} ${inner.name()}`);
}
