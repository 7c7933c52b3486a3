import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(300_000);

const ROOT = path.resolve(__dirname, '../..');

interface Manifest {
  version: string;
  private?: boolean;
  dependencies: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: StartedCommand[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/pack-packages.mjs'), folder.path]);
});
afterAll(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

/** Unpacks a package where a project finds it, beside what it depends on and nothing else. */
function unpack(name: string): { installed: string; manifest: Manifest } {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const installed = path.join(folder.path, 'node_modules', name);
  mkdirSync(installed, { recursive: true });
  const tarball = path.join(folder.path, `${name}-${version}.tgz`);
  execFileSync('tar', ['xzf', tarball, '-C', installed, '--strip-components=1']);
  return {
    installed,
    manifest: JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as Manifest,
  };
}

test('The package keepapart sends, asks and checks rules with the dependencies of a client alone, and says what a server needs.', async () => {
  const { installed, manifest } = unpack('keepapart');
  const server = unpack('keepapart-server').manifest;
  const root = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Manifest;
  // Together they have every dependency of the checkout, in the same version, and each once.
  const { keepapart, ...serverOnly } = server.dependencies;
  expect(keepapart).toBe(root.version);
  expect({ ...manifest.dependencies, ...serverOnly }).toEqual(root.dependencies);
  for (const name of Object.keys(serverOnly)) {
    expect(manifest.dependencies[name]).toBeUndefined();
    expect(manifest.peerDependenciesMeta?.[name]).toEqual({ optional: true });
  }
  expect(manifest.private).toBeUndefined();

  for (const name of Object.keys(manifest.dependencies)) {
    const link = path.join(folder.path, 'node_modules', name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules', name), link);
  }
  const main = path.join(installed, 'dist/src/cli/main.js');
  const run = async (...args: string[]) => {
    const command = startCommand(args, { cwd: folder.path, main });
    started.push(command);
    return { code: await command.ended, stdout: command.stdout(), stderr: command.stderr() };
  };
  // The system is that of the checkout, as on another machine.
  const system = await startSystem('serve', { cwd: folder.path });
  started.push(system);
  const at = ['--url', system.apiUrl];
  expect(await run('send', '[1,2]', '--wait', ...at)).toMatchObject({ code: 0, stderr: '' });
  expect(await run('status', ...at)).toMatchObject({ code: 0, stderr: '' });
  expect(await run('why', ...at)).toMatchObject({ code: 0, stderr: '' });
  expect(await run('audit')).toMatchObject({ code: 0, stderr: '' });
  expect((await run('completion', 'bash')).code).toBe(0);
  expect((await run('--help')).stdout).toMatch(/^ {2}serve +needs keepapart-server$/m);
  for (const command of ['serve', 'replay', 'drain'])
    expect(await run(command)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^keepapart: this needs \S+, which only servers have installed: npm install keepapart-server\n$/,
      ),
    });
  const dashboard = startCommand(['dashboard', ...at], { cwd: folder.path, main });
  started.push(dashboard);
  const url = await waitFor('the dashboard', () => {
    if (dashboard.child.exitCode !== null) throw new Error(dashboard.stderr());
    return /is at (http:\S+)\n/.exec(dashboard.stdout())?.[1];
  });
  expect((await fetch(url)).status).toBe(200);
  expect(await dashboard.interrupt()).toBe(0);
});
