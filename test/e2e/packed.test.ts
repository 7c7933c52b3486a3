import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { installPacked } from '../helpers/packed-package';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';

jest.setTimeout(300_000);

/* The package as it is packed, in an empty folder, with the words of the README. */
const README = readFileSync(path.resolve(__dirname, '../../README.md'), 'utf8');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: StartedCommand[] = [];
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

test('The README’s store of one’s own saves and refuses as it says, from the packed package in an empty folder, and the audit finds nothing.', async () => {
  const main = path.join(installPacked(folder.path, { dependencies: true }), 'dist/src/cli/main.js');
  const section = /## Save with your own code(.*?)\n## /s.exec(README)?.[1] ?? '';
  const [, code = '', file = ''] = /```js\n(\/\/ (\S+)\n.*?)```/s.exec(section) ?? [];
  writeFileSync(path.join(folder.path, file), code);
  const [serve, send] = [...section.matchAll(/^npx keepapart (.*)$/gm)].map(([, args = '']) =>
    args.split(' ').map((arg) => arg.replace(/^'(.*)'$/, '$1')),
  );
  const home = path.join(folder.path, 'home');
  mkdirSync(home);
  const env = {
    HOME: home,
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: path.basename(folder.path),
    KEEPAPART_TASK_QUEUE: path.basename(folder.path),
  };
  const options = { cwd: folder.path, env, main };
  expect(serve?.[0]).toBe('serve');
  const system = await startSystem('serve', { ...options, flags: serve?.slice(1) ?? [] });
  started.push(system);

  const run = async (args: readonly string[]) => {
    const command = startCommand(args, options);
    started.push(command);
    return { code: await command.ended, stdout: command.stdout(), stderr: command.stderr() };
  };
  const sent = await run([...(send ?? []), '--url', system.apiUrl]);
  expect(sent.stdout).toContain('2 saved, 1 rolled back');
  const saved = readFileSync(path.join(folder.path, 'saved.txt'), 'utf8').trimEnd().split('\n');
  expect(saved.filter((line) => /:[02]$/.test(line))).toHaveLength(2);
  const audit = await run(['audit']);
  expect({ code: audit.code, stderr: audit.stderr }).toEqual({ code: 0, stderr: '' });
  expect(await system.interrupt()).toBe(0);
  expect(readdirSync(home)).toEqual([]);
});
