import { Argument, type Command } from 'commander';
import { oneOfChoices } from '../../terminal/command-help';
import { bashScript } from './bash-script';
import { commandTree, type CompletedCommand } from './command-tree';
import { fishScript } from './fish-script';
import { zshScript } from './zsh-script';

const SCRIPTS: Record<string, (commands: readonly CompletedCommand[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/**
 * `keepapart completion <shell>`: prints a script that completes commands, options and their values.
 * @param everyCommand the program with all its commands, from which the script is made
 */
export function registerCompletion(program: Command, everyCommand: () => Promise<Command>): void {
  const shells = Object.keys(SCRIPTS);
  program
    .command('completion')
    .description('print a script that completes commands, options and values in your shell')
    .addArgument(
      new Argument('<shell>', 'your shell').choices(shells).argParser((word) => oneOfChoices(word, shells)),
    )
    .addHelpText(
      'after',
      [
        '\nTo complete in this shell and in later ones:',
        "  $ echo 'source <(keepapart completion bash)' >> ~/.bashrc",
        "  $ echo 'source <(keepapart completion zsh)' >> ~/.zshrc     # behind the line with compinit",
        '  $ keepapart completion fish > ~/.config/fish/completions/keepapart.fish',
      ].join('\n'),
    )
    .action(async (shell: string) => {
      const script = SCRIPTS[shell];
      if (script !== undefined) process.stdout.write(script(commandTree(await everyCommand())));
    });
}
