// Plays incidents and says what the dashboard said: `npm run eyes:incidents -- <folder> [name…]`, docs/DASHBOARD.md.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { incidentsCommand } = require(path.join(root, 'test/browser/incidents-command.ts'));
const [folder = 'incidents', ...names] = process.argv.slice(2);
process.exit(await incidentsCommand(folder, names));
