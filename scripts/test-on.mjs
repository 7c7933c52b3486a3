// The test suite on another version of Node: `npm run test:on -- 24 [arguments for Jest]`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { runOnNode } from './run-on-node.mjs';

const root = path.resolve(import.meta.dirname, '..');
const [version, ...args] = process.argv.slice(2);
if (version === undefined) {
  console.error('npm run test:on -- <version of Node: 20, 22, 24, 26 or an exact one> [arguments for Jest]');
  process.exit(2);
}
const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);
process.exit(await runOnNode(version, [path.join(root, 'node_modules/jest/bin/jest.js'), ...args]));
