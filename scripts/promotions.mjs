// A thousand promotions under load: `npm run promotions -- --help`, docs/CHAOS.md.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { promotionsCommand } = require(path.join(root, 'test/chaos/promotions-command.ts'));
process.exit(await promotionsCommand(process.argv.slice(2)));
