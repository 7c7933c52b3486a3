// Holds a running keepapart against its OpenAPI document: `npm run fuzz:api -- --help`, docs/CHAOS.md.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** From PyPI, with the versions that it needs as pip finds them. */
const SCHEMATHESIS = 'schemathesis==4.32.5';
const MAX_CASES = 5000;

const USAGE = `npm run fuzz:api [-- --cases N] [--seed N] [--operation ID]

Starts a keepapart on free ports in a folder of its own, has Schemathesis (from PyPI, in a virtual environment there)
read its OpenAPI document and hold it against it with every check, and removes all of it. Exits with 1 when something was
found, and with 2 when it could not run. Needs Python 3.10 or newer, and a way to PyPI.

  --cases N        most test cases in all (default and at most ${MAX_CASES})
  --seed N         of the cases (default: another one each time; it is printed)
  --operation ID   one operation alone, by its operationId`;

const root = path.resolve(import.meta.dirname, '../..');
const { values: flags } = parseArgs({
  options: {
    help: { type: 'boolean' },
    cases: { type: 'string', default: String(MAX_CASES) },
    seed: { type: 'string' },
    operation: { type: 'string' },
  },
});
if (flags.help) {
  console.log(USAGE);
  process.exit(0);
}
const cases = Math.min(Number(flags.cases) || MAX_CASES, MAX_CASES);

const folder = await mkdtemp(path.join(tmpdir(), 'keepapart-fuzz-'));
let system;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void cleanUp().then(() => process.exit(130)));
try {
  run(process.execPath, [path.join(root, 'scripts/build.mjs')]);
  const schemathesis = install();
  const apiUrl = await startSystem();
  process.exitCode = await fuzz(schemathesis, apiUrl);
} catch (error) {
  console.error(String(error.message ?? error));
  process.exitCode = 2;
} finally {
  await cleanUp();
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
}

/** The command, installed where nobody else's packages are. */
function install() {
  const venv = path.join(folder, 'venv');
  run('python3', ['-m', 'venv', venv]);
  const bin = path.join(venv, 'bin');
  run(path.join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', SCHEMATHESIS]);
  return path.join(bin, 'schemathesis');
}

async function startSystem() {
  const env = {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(KEEPAPART|TEMPORAL)_/.test(name)),
    ),
    KEEPAPART_HTTP_PORT: '0',
    KEEPAPART_TCP_PORT: '0',
    KEEPAPART_TEMPORAL_PORT: '0',
    KEEPAPART_UI_PORT: '0',
    KEEPAPART_LOG_LEVEL: 'warn',
  };
  const main = path.join(root, 'dist/src/cli/main.js');
  system = spawn(process.execPath, [main, 'serve'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let summary = '';
  return await new Promise((resolve, reject) => {
    system.stdout.on('data', (chunk) => {
      summary += chunk;
      const url = /^ +API +(\S+)\/v1\/records$/m.exec(summary)?.[1];
      if (url !== undefined && summary.includes('Ctrl-C stops it')) resolve(url);
    });
    system.once('exit', (code) => reject(new Error(`keepapart ended with ${code}`)));
  });
}

async function fuzz(schemathesis, apiUrl) {
  const document = await (await fetch(`${apiUrl}/openapi.json`)).json();
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods)).length;
  // The other phases take about as many cases again as fuzzing does.
  const each = Math.max(1, Math.floor(cases / (flags.operation === undefined ? operations : 1) / 2));
  const args = [
    ...['--config-file', path.join(import.meta.dirname, 'schemathesis.toml')],
    ...['run', `${apiUrl}/openapi.json`, '--checks', 'all', '--max-examples', String(each)],
    // All but the examples, which `test/http/openapi.test.ts` sends: Schemathesis can't send one that is a text of NDJSON.
    ...['--phases', 'coverage,fuzzing,stateful'],
    ...['--workers', '1', '--continue-on-failure', '--request-timeout', '60'],
    ...(flags.seed === undefined ? [] : ['--seed', flags.seed]),
    ...(flags.operation === undefined ? [] : ['--include-operation-id', flags.operation]),
  ];
  const env = { ...process.env, PYTHONPATH: import.meta.dirname, SCHEMATHESIS_HOOKS: 'keepapart_hooks' };
  // It would leave its bytecode beside the file.
  env.PYTHONDONTWRITEBYTECODE = '1';
  const fuzzer = spawn(schemathesis, args, { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(fuzzer, 'close');
  if (system.exitCode !== null) throw new Error('keepapart did not survive it');
  return code ?? 1;
}

async function cleanUp() {
  if (system !== undefined && system.exitCode === null) {
    system.kill('SIGTERM');
    await once(system, 'close');
  }
  if (existsSync(folder)) await rm(folder, { recursive: true, force: true });
}
