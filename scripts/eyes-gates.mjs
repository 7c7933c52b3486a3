// Measures what looking on costs, and how soon each screen answers: `npm run eyes:gates`, docs/DASHBOARD.md.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { gatesCommand } = require(path.join(root, 'test/browser/gates-command.ts'));
await gatesCommand();
process.exit(0);
