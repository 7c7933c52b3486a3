import { valueCases, type CompletedCommand, type CompletedValue } from './command-tree';

/**
 * The script for bash, from 3.2 (macOS) on and without the package bash-completion. Words with `=` are in pieces there, as
 * COMP_WORDBREAKS has it.
 */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const paths = commands.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const values = valueCases(commands, offer);
  return `# Completion of keepapart in bash. To use it: source <(keepapart completion bash)
_keepapart_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
  # A name that a value follows.
  case "\${COMPREPLY[*]}" in *=) compopt -o nospace 2>/dev/null ;; esac
}

_keepapart_paths() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
}

_keepapart() {
  local cur=\${COMP_WORDS[COMP_CWORD]} option=\${COMP_WORDS[COMP_CWORD - 1]} path= i
  COMPREPLY=()
  if [[ $cur == = ]]; then
    cur=
  elif [[ $option == = ]]; then
    option=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${paths.join(' | ')})
        path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path $option" in
${values.join('\n')}
  esac
  case "$path" in
${commands.map(commandCase).join('\n')}
  esac
}

complete -F _keepapart keepapart
`;
}

function commandCase({ path, options, subcommands, value }: CompletedCommand): string {
  const flags = options.map(({ flag }) => flag).join(' ');
  const names = subcommands.map(({ name }) => name);
  const words = value.isPath ? value : { words: [...names, ...value.words], isPath: false };
  return [
    `    '${path}')`,
    `      if [[ $cur == -* ]]; then _keepapart_words '${flags}'`,
    `      else ${offer(words)}; fi ;;`,
  ].join('\n');
}

function offer({ words, isPath }: CompletedValue): string {
  const offers = [
    ...(words.length > 0 ? [`_keepapart_words '${words.join(' ')}'`] : []),
    ...(isPath ? ['_keepapart_paths'] : []),
  ];
  // Words first; a path where none of them begins like this.
  if (offers.length === 2) return `${offers[0]}; [[ \${#COMPREPLY[@]} -gt 0 ]] || ${offers[1]}`;
  return offers[0] ?? ':';
}
