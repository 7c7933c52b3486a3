// Runs the test suite again and again, to find tests that fail now and then: `npm run test:often -- --help`.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `npm run test:often -- [options] [-- arguments for Jest]

  --times <n>   how often (default 20)
  --random      files, and the tests in each, in random order
  --busy        beside as many processes as there are cores, which compute all the time
  --seed <n>    the order of the first run, each later one takes the next number (default: by chance)

Each failure is reported with its seed: "--random --times 1 --seed <seed>" repeats that order. Ends with 1 on any.`;

const root = path.resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: 'string', default: '20' },
    random: { type: 'boolean', default: false },
    busy: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    help: { type: 'boolean', default: false },
  },
});
const times = Number(values.times);
const firstSeed = Number(values.seed);
if (values.help || !Number.isInteger(times) || !Number.isInteger(firstSeed)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

/** Computes until its stdin ends, and so also when we are killed. */
const COMPUTE = `
  const { Worker } = require('node:worker_threads');
  new Worker('for (;;);', { eval: true });
  process.stdin.on('end', () => process.exit()).resume();
`;
const others = Array.from({ length: values.busy ? availableParallelism() : 0 }, () =>
  spawn(process.execPath, ['-e', COMPUTE], { stdio: ['pipe', 'ignore', 'inherit'] }),
);
const folder = mkdtempSync(path.join(tmpdir(), 'keepapart-test-often-'));
const failures = [];
try {
  for (let run = 1; run <= times; run++) {
    const seed = firstSeed + run - 1;
    const startedAtMs = Date.now();
    const found = await runOnce(seed, path.join(folder, `${run}.json`));
    failures.push(...found.map((what) => `seed ${seed}: ${what}`));
    const seconds = Math.round((Date.now() - startedAtMs) / 1000);
    console.log(`run ${run} of ${times}, seed ${seed}: ${found.length} failed, ${seconds} s`);
    for (const what of found) console.log(`  ${what}`);
  }
} finally {
  for (const other of others) other.kill();
  rmSync(folder, { recursive: true, force: true });
}
console.log([`${times} runs, ${failures.length} failures`, ...failures].join('\n'));
process.exit(failures.length === 0 ? 0 : 1);

/** What failed: each as "file: title". */
async function runOnce(seed, outputFile) {
  const args = ['--silent', '--json', `--outputFile=${outputFile}`, `--seed=${seed}`, ...positionals];
  if (values.random) args.push('--randomize');
  const jest = spawn(process.execPath, [path.join(root, 'node_modules/jest/bin/jest.js'), ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...(values.random && { KEEPAPART_TEST_ORDER: String(seed) }) },
  });
  const [code] = await once(jest, 'close');
  let report;
  try {
    report = JSON.parse(readFileSync(outputFile, 'utf8'));
  } catch {
    return [`no report; Jest ended with ${code}`];
  }
  const found = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const titles = assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => fullName);
    if (titles.length === 0 && status === 'failed') titles.push(message.split('\n')[0]);
    return titles.map((title) => `${path.relative(root, name)}: ${title}`);
  });
  return found.length === 0 && code !== 0 ? [`Jest ended with ${code}`] : found;
}
