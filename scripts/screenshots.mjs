// Takes the pictures of README and docs from a real run: `npm run screenshots`.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { screenshotsCommand } = require(path.join(root, 'test/browser/screenshots-command.ts'));
await screenshotsCommand(process.argv[2] ?? path.join(root, 'docs/images'));
process.exit(0);
