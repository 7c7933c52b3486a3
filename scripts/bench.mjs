// What is measured, and against whom: `npm run bench -- ingest --help`, docs/BENCHMARKS.md.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { runOnNode } from './run-on-node.mjs';

// As the command line has it.
process.env.UV_THREADPOOL_SIZE ??= '16';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

// Everything of a run is on one Node: the bench itself starts again on the one that was asked for.
const [name, ...args] = process.argv.slice(2);
const at = args.findIndex((arg) => arg === '--node' || arg.startsWith('--node='));
if (at >= 0) {
  const [option, next = ''] = args.splice(at, args[at] === '--node' ? 2 : 1);
  const version = option === '--node' ? next : option.slice('--node='.length);
  process.exit(await runOnNode(version, [import.meta.filename, name, ...args]));
}

const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

require(path.join(root, 'test/helpers/run-typescript.js'));
const { ingestBench } = require(path.join(root, 'bench/ingest/command.ts'));
const { contendersBench } = require(path.join(root, 'bench/contenders/command.ts'));
const { curveBench } = require(path.join(root, 'bench/contenders/curve.ts'));
const { idleBench } = require(path.join(root, 'bench/contenders/idle.ts'));
const { scaleBench } = require(path.join(root, 'bench/contenders/scale.ts'));
const { profileBench } = require(path.join(root, 'bench/profile/command.ts'));
const { storeBench } = require(path.join(root, 'bench/store/command.ts'));
const { storesBench } = require(path.join(root, 'bench/store/stores.ts'));
const { partitionBench } = require(path.join(root, 'bench/partition/command.ts'));
const BENCHES = {
  ingest: ingestBench,
  contenders: contendersBench,
  curve: curveBench,
  idle: idleBench,
  scale: scaleBench,
  profile: profileBench,
  store: storeBench,
  stores: storesBench,
  partition: partitionBench,
};
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`npm run bench -- <${Object.keys(BENCHES).join('|')}> [options]`);
  process.exit(2);
}
process.exit(await bench(args));
