// Attacks a system of its own and audits what is left: `npm run chaos -- --seed 1 --duration 600 --kills 50`.
// What is done and what it shows: docs/OPERATIONS.md, "Attack and soak".
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { runChaos } = require(path.join(root, 'test/chaos/run.ts'));
try {
  process.exit(await runChaos(process.argv.slice(2)));
} catch (error) {
  console.error(error);
  process.exit(1);
}
