// Attacks a system of its own and audits what is left: `npm run chaos -- --help`, docs/CHAOS.md.
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');
const OWN_MOUNTS = 'KEEPAPART_TEST_OWN_MOUNTS';
/** What is mounted there ends with the last process in it, however that ends. */
const NAMESPACE = ['--mount', '--propagation', 'private'];

if (process.env[OWN_MOUNTS] === undefined) {
  const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (built.status !== 0) process.exit(1);
  const mounts = spawnSync('unshare', [...NAMESPACE, 'true'], { stdio: 'ignore' }).status === 0;
  const node = [process.execPath, ...process.argv.slice(1)];
  const [command, ...args] = mounts ? ['unshare', ...NAMESPACE, ...node] : node;
  const child = spawn(command, args, {
    // The IPC channel tells the child that we are gone.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [OWN_MOUNTS]: mounts ? '1' : '0' },
    detached: true,
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => process.exit(code ?? 1));
} else {
  require(path.join(root, 'test/helpers/run-typescript.js'));
  const { attackCommand } = require(path.join(root, 'test/chaos/attack-command.ts'));
  process.exit(await attackCommand(process.argv.slice(2)));
}
