import type { Argument, Command, Option } from 'commander';
import { suggestedWords } from '../../terminal/suggestions';

/** A value that an option or a command takes. */
export interface CompletedValue {
  words: readonly string[];
  /** Whether it is the path of a file or folder. */
  isPath: boolean;
}

export interface CompletedOption {
  /** `--by`. */
  flag: string;
  about: string;
  /** Undefined for a switch. */
  value: CompletedValue | undefined;
}

/** A command as the shells complete it. */
export interface CompletedCommand {
  /** The words after `keepapart` that lead to it, each after a space: `''`, `' limits'`, `' limits set'`. */
  path: string;
  subcommands: readonly { name: string; about: string }[];
  options: readonly CompletedOption[];
  /** What it takes besides options. */
  value: CompletedValue;
}

/** A program and all commands below it, as the help lists them. */
export function commandTree(command: Command, path = ''): CompletedCommand[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const isRoot = path === '';
  const own: CompletedCommand = {
    path,
    subcommands: subcommands.map((one) => ({ name: one.name(), about: firstSentence(one.description()) })),
    options: help.visibleOptions(command).flatMap(completedOption),
    value: valueOf(command.registeredArguments),
  };
  // `help` takes the name of a command, and has none below it that anybody calls by a path.
  const helpFor = isRoot
    ? [{ path: ' help', subcommands: own.subcommands, options: [], value: NOTHING }]
    : [];
  const below = subcommands.filter((one) => one.name() !== 'help');
  return [own, ...helpFor, ...below.flatMap((one) => commandTree(one, `${path} ${one.name()}`))];
}

const NOTHING: CompletedValue = { words: [], isPath: false };

function completedOption(option: Option): CompletedOption[] {
  if (option.long === undefined) return [];
  const takesValue = option.required || option.optional;
  return [
    {
      flag: option.long,
      about: firstSentence(option.description),
      value: takesValue ? { words: suggestedWords(option), isPath: isPath(option.flags) } : undefined,
    },
  ];
}

function valueOf(args: readonly Argument[]): CompletedValue {
  const [first] = args;
  if (first === undefined) return NOTHING;
  return { words: suggestedWords(first), isPath: isPath(`<${first.name()}>`) };
}

/** By the name of the value, or of the setting: `<file>`, `--out-dir <value>`. */
function isPath(flags: string): boolean {
  return /<(file|paths?|module)>|-(dir|file) <value>|^--store <value>/.test(flags);
}

/** Without what follows in the help: defaults, and what is accepted. */
function firstSentence(about: string): string {
  return about
    .replace(/ \(default: .*/s, '')
    .replace(/\. .*/s, '')
    .replace(/\.$/, '');
}

/** Branches of a shell's `case` for options that take a value, those with the same offer together. */
export function valueCases(
  commands: readonly CompletedCommand[],
  offer: (value: CompletedValue) => string,
): string[] {
  const patterns = new Map<string, string[]>();
  for (const { path, options } of commands)
    for (const { flag, value } of options) {
      if (value === undefined) continue;
      const offered = offer(value);
      patterns.set(offered, [...(patterns.get(offered) ?? []), `'${path} ${flag}'`]);
    }
  return [...patterns].map(([offered, together]) => `    ${together.join(' | ')}) ${offered}; return ;;`);
}
