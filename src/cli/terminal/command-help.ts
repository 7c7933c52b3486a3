import { Help, InvalidArgumentError, Option, type Command } from 'commander';
import { closestName, didYouMean } from '../../domain/closest-name';
import { colours, errorColours } from './colours';

/* How help and errors of the command line itself look. */

/** Sets how a program and the commands that are added to it later print help and errors. */
export function styleHelp(program: Command): void {
  program.configureHelp(HELP_STYLE).configureOutput({
    outputError: (text, write) => write(text.replace(/^error:/, errorColours.red('error:'))),
  });
}

const HELP_STYLE = { styleTitle: (title: string) => colours.bold(title) };

/** After an error, one line says where the help is: all of it would push the error off the screen. */
export function nameHelpAfterErrors(command: Command, name: string): void {
  command.showHelpAfterError(`See \`${name} --help\`.`);
  for (const inner of command.commands) nameHelpAfterErrors(inner, `${name} ${inner.name()}`);
}

/**
 * Refuses a word where the name of a subcommand is expected. A command that also does something by itself would take it
 * for an argument too many, and suggest nothing.
 */
export function refuseUnknownSubcommand(program: Command, [name, word]: readonly string[]): void {
  const command = program.commands.find((one) => one.name() === name);
  const names = (command?.commands ?? []).map((one) => one.name());
  if (command === undefined || names.length === 0 || word === undefined) return;
  if (word.startsWith('-') || names.includes(word) || word === 'help') return;
  const meant = closestName(word, names);
  const hint = meant === undefined ? `Expected ${names.join(' or ')}` : `Did you mean ${meant}?`;
  command.error(`error: unknown command '${word}'\n(${hint})`);
}

/** Accepts these options without listing them in the help, which says `instead` at its end. */
export function leaveOutOfHelp(command: Command, options: readonly Option[], instead: string): void {
  command.addHelpText('after', `\n${instead}`).configureHelp({
    ...HELP_STYLE,
    formatHelp(of, helper) {
      const shown = Object.assign(Object.create(helper) as Help, {
        visibleOptions: (one: Command) =>
          helper.visibleOptions(one).filter((option) => !options.includes(option)),
      });
      return Help.prototype.formatHelp.call(shown, of, shown);
    },
  });
}

/** An option that takes one of several words. A word that is close to one of them is refused with a suggestion. */
export function choiceOption(flags: string, about: string, choices: readonly string[]): Option {
  return new Option(flags, about).choices(choices).argParser((word) => oneOfChoices(word, choices));
}

/** The word, if it is one of the choices; otherwise it is refused. */
export function oneOfChoices(word: string, choices: readonly string[]): string {
  if (choices.includes(word)) return word;
  throw new InvalidArgumentError(`Expected one of ${choices.join(', ')}${didYouMean(word, choices) || '.'}`);
}
