// What is measured, and against whom: `npm run bench -- ingest --help`, docs/BENCHMARKS.md.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

// As the command line has it.
process.env.UV_THREADPOOL_SIZE ??= '16';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { ingestBench } = require(path.join(root, 'bench/ingest/command.ts'));
const { contendersBench } = require(path.join(root, 'bench/contenders/command.ts'));
const { curveBench } = require(path.join(root, 'bench/contenders/curve.ts'));
const { scaleBench } = require(path.join(root, 'bench/contenders/scale.ts'));
const { storeBench } = require(path.join(root, 'bench/store/command.ts'));
const { partitionBench } = require(path.join(root, 'bench/partition/command.ts'));
const BENCHES = {
  ingest: ingestBench,
  contenders: contendersBench,
  curve: curveBench,
  scale: scaleBench,
  store: storeBench,
  partition: partitionBench,
};
const [name, ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`npm run bench -- <${Object.keys(BENCHES).join('|')}> [options]`);
  process.exit(2);
}
process.exit(await bench(args));
