import { valueCases, type CompletedCommand, type CompletedValue } from './command-tree';

/** The script for zsh, to be sourced after `compinit`, or to be put into a folder of `fpath` as `_keepapart`. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const paths = commands.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const values = valueCases(commands, offer);
  return `#compdef keepapart
# Completion of keepapart in zsh. To use it: source <(keepapart completion zsh)
_keepapart() {
  local at= i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${paths.join(' | ')})
        at="$at \${words[i]}" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${commands.map(commandCase).join('\n')}
  esac
}

if [[ \${funcstack[1]} == _keepapart ]]; then _keepapart "$@"; else compdef _keepapart keepapart; fi
`;
}

function commandCase({ path, options, subcommands, value }: CompletedCommand): string {
  const flags = options.map(({ flag, about }) => described(flag, about)).join(' ');
  const names = subcommands.map(({ name, about }) => described(name, about)).join(' ');
  const rest = subcommands.length > 0 ? `offered=(${names}); _describe command offered` : offer(value);
  return [
    `    '${path}')`,
    `      if [[ \${words[CURRENT]} == -* ]]; then offered=(${flags}); _describe -o option offered`,
    `      else ${rest}; fi ;;`,
  ].join('\n');
}

function offer({ words, isPath }: CompletedValue): string {
  const offers = [
    // A name that a value follows gets no space.
    ...(words.length > 0
      ? [`compadd ${words.every((word) => word.endsWith('=')) ? "-S '' " : ''}-- ${words.join(' ')}`]
      : []),
    ...(isPath ? ['_files'] : []),
  ];
  return offers.join('; ') || ':';
}

function described(name: string, about: string): string {
  return `'${`${name}:${about}`.replaceAll("'", "'\\''")}'`;
}
