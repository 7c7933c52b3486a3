import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startCommand, temporaryFolder } from '../helpers/system';

jest.setTimeout(120_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let script: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  script = path.join(folder.path, 'keepapart.bash');
  await writeFile(script, await printed(['completion', 'bash']));
  for (const name of ['orders one.ndjson', 'orders.csv', 'other.txt'])
    await writeFile(path.join(folder.path, name), '');
});
afterAll(() => folder.remove());

async function printed(args: readonly string[]): Promise<string> {
  const command = startCommand(args, { cwd: folder.path });
  expect([await command.ended, command.stderr()]).toEqual([0, '']);
  return command.stdout();
}

/** What bash offers for the last of these words, as the user presses Tab behind it. */
function offered(...words: string[]): string[] {
  const ask = [
    'source "$1"; shift',
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))',
    '_keepapart; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const args = ['--noprofile', '--norc', '-c', ask, 'bash', script, 'keepapart', ...words];
  const text = execFileSync('bash', args, { cwd: folder.path, encoding: 'utf8' });
  return text.split('\n').filter((line) => line !== '');
}

test('In bash, commands and their subcommands are completed.', () => {
  expect(offered('st')).toEqual(['status', 'store']);
  expect(offered('limits', '')).toEqual(['show', 'set', 'reset', 'help']);
  expect(offered('help', 'dead')).toEqual(['dead-letters']);
});

test('In bash, the options of the command are completed, and those of no other.', () => {
  expect(offered('batches', '--st')).toEqual(['--state']);
  expect(offered('why', '--st')).toEqual([]);
  expect(offered('limits', 'set', 'maxBatchSize=3', '--b')).toEqual(['--by']);
});

test('In bash, words that an option or argument accepts are completed, also behind an equals sign.', () => {
  expect(offered('batches', '--state', '')).toEqual(['running', 'completed', 'failed']);
  expect(offered('batches', '--state', '=')).toEqual(['running', 'completed', 'failed']);
  expect(offered('batches', '--state', '=', 'c')).toEqual(['completed']);
  expect(offered('serve', '--on-failure', 'r')).toEqual(['rollback_batch']);
  expect(offered('limits', 'reset', 'maxI')).toEqual(['maxInFlight']);
  expect(offered('limits', 'set', 'maxI')).toEqual(['maxInFlight=']);
  expect(offered('completion', 'z')).toEqual(['zsh']);
});

test('In bash, names of files are completed where a file is expected, spaces included, and nowhere else.', () => {
  expect(offered('import', 'ord').sort()).toEqual(['orders one.ndjson', 'orders.csv']);
  expect(offered('import', '--config', 'oth')).toEqual(['other.txt']);
  expect(offered('serve', '--store', 'po')).toEqual(['postgres']);
  expect(offered('serve', '--store', 'oth')).toEqual(['other.txt']);
  expect(offered('find', 'oth')).toEqual([]);
  expect(offered('import', '--key', 'oth')).toEqual([]);
});

test.each([
  ['zsh', "' batches --state'"],
  ['fish', "-n \"__keepapart_at ' batches'\" -l state -x -a 'running completed failed'"],
])('The script for %s has the words that an option accepts.', async (shell, line) => {
  expect(await printed(['completion', shell])).toContain(line);
});
