import type { CompletedCommand, CompletedOption, CompletedValue } from './command-tree';

/** The script for fish, as a file of its folder `completions`. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const paths = commands.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `# Completion of keepapart in fish. To use it: keepapart completion fish > ~/.config/fish/completions/keepapart.fish
function __keepapart_at
    set -l words (commandline -opc)
    set -l at ''
    for word in $words[2..]
        if contains -- "$at $word" ${paths.join(' ')}
            set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end

complete -c keepapart -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, options, subcommands, value }: CompletedCommand): string[] {
  const at = `complete -c keepapart -n "__keepapart_at ${quoted(path)}"`;
  return [
    ...subcommands.map(({ name, about }) => `${at} -a ${name} -d ${quoted(about)}`),
    ...options.map((option) => `${at} -l ${option.flag.slice(2)}${takes(option)} -d ${quoted(option.about)}`),
    ...(value.isPath ? [`${at} -F`] : []),
    ...(value.words.length > 0 ? [`${at} -a ${listed(value)}`] : []),
  ];
}

function takes({ value }: CompletedOption): string {
  if (value === undefined) return '';
  const words = value.words.length > 0 ? ` -a ${listed(value)}` : '';
  return `${value.isPath ? ' -r -F' : ' -x'}${words}`;
}

function listed({ words }: CompletedValue): string {
  return quoted(words.join(' '));
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
