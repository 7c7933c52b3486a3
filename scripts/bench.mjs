// What is measured, and against whom: `npm run bench -- ingest --help`, docs/BENCHMARKS.md.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { ingestBench } = require(path.join(root, 'bench/ingest/command.ts'));
const { contendersBench } = require(path.join(root, 'bench/contenders/command.ts'));
const { curveBench } = require(path.join(root, 'bench/contenders/curve.ts'));
const BENCHES = { ingest: ingestBench, contenders: contendersBench, curve: curveBench };
const [name, ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`npm run bench -- <${Object.keys(BENCHES).join('|')}> [options]`);
  process.exit(2);
}
process.exit(await bench(args));
