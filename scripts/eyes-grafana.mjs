// Runs every query of the dashboard against a real Prometheus: `npm run eyes:grafana`, docs/OBSERVABILITY.md "Grafana".
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { grafanaCommand } = require(path.join(root, 'test/metrics/grafana-command.ts'));
process.exit(await grafanaCommand());
