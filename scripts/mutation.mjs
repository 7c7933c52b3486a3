// Changes the sources in small ways and looks which changes no test notices: `npm run mutation -- <area>`; see docs/TESTING.md.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { AREAS } from './mutation/areas.mjs';
import { readReport, unnoticedIn, writeReport } from './mutation/report.mjs';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');
const here = (name) => path.join(import.meta.dirname, 'mutation', name);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '1' },
    file: { type: 'string', multiple: true },
    tests: { type: 'string', multiple: true },
    report: { type: 'string' },
    again: { type: 'string' },
  },
});
const [name] = positionals;
const area = AREAS[name];
const sample = values.sample === undefined ? Infinity : Number(values.sample);
if (area === undefined || positionals.length !== 1 || !(sample >= 1)) {
  console.error(`npm run mutation -- <${Object.keys(AREAS).join(' | ')}> [options]

  --sample <n>       that many mutants, chosen by the seed (default: all)
  --seed <s>         another seed, another sample (default: 1)
  --file <glob>      only sources that match; may be repeated
  --tests <glob>     only tests that match; may be repeated
  --concurrency <n>  test runners at once (default: 1)
  --again <report>   only what no test noticed in that earlier run, whose score it then completes
  --report <file>    where the report goes (default: coverage/mutation/<area>.md)`);
  process.exit(2);
}
const before = values.again === undefined ? undefined : readReport(values.again);
const report = path.resolve(values.report ?? path.join(root, 'coverage/mutation', `${name}.md`));
const folder = mkdtempSync(path.join(tmpdir(), 'keepapart-mutation-'));

const jestConfig = require(path.join(root, 'jest.config.js'));
const options = {
  packageManager: 'npm',
  testRunner: 'fastest-first',
  plugins: [here('runner.mjs'), here('sample-checker.mjs')],
  checkers: ['sample'],
  // Options of our plugins, which it doesn't know.
  warnings: { unknownOptions: false },
  mutationSample: {
    sample: Number.isFinite(sample) ? sample : Number.MAX_SAFE_INTEGER,
    seed: values.seed,
    ...(before && { only: unnoticedIn(before) }),
  },
  mutationFolder: folder,
  mutate: values.file ?? area.mutate,
  coverageAnalysis: 'perTest',
  // Constants of a module are evaluated once, whatever test runs: each of them would have to be held against all tests.
  ignoreStatic: true,
  concurrency: Number(values.concurrency),
  timeoutMS: 60_000,
  timeoutFactor: 4,
  dryRunTimeoutMinutes: 60,
  tempDirName: path.join(folder, 'sandbox'),
  ignorePatterns: ['coverage', 'data', 'docs/upstream'],
  reporters: ['json', 'clear-text'],
  jsonReporter: { fileName: path.join(folder, 'mutation.json') },
  clearTextReporter: { reportTests: false, reportMutants: false, reportScoreTable: false, allowColor: false },
  allowConsoleColors: false,
  disableTypeChecks: '{src,workflows,activities}/**/*.ts',
  ...(area.bundle && { buildCommand: 'node scripts/mutation/bundle.mjs', symlinkNodeModules: false }),
  jest: {
    projectType: 'custom',
    enableFindRelatedTests: false,
    config: {
      // One server for all runs, which is started below.
      globalSetup: null,
      globalTeardown: null,
      testSequencer: null,
      workerIdleMemoryLimit: null,
      testEnvironment: '@stryker-mutator/jest-runner/jest-env/node',
      roots: jestConfig.roots,
      transform: jestConfig.transform,
      testTimeout: jestConfig.testTimeout,
      testMatch: (values.tests ?? area.tests).map(
        (glob) => `<rootDir>/${glob.replace(/(\.test\.ts)?$/, '.test.ts')}`,
      ),
      filter: '<rootDir>/scripts/mutation/test-filter.cjs',
    },
  },
};

require(path.join(root, 'test/helpers/run-typescript.js'));
// In workflows' own thread nothing could be noted; in debug mode the SDK runs them in the test's.
if (area.bundle) process.env.TEMPORAL_DEBUG = '1';
process.env.KEEPAPART_MUTATION_PACKAGES = path.join(root, 'node_modules');
const servers = await startServers(area.servers);
try {
  const results = await new Stryker(options).runMutationTest();
  mkdirSync(path.dirname(report), { recursive: true });
  const command = `npm run mutation -- ${process.argv.slice(2).join(' ')}`;
  writeReport(report, results, { area: name, command, before });
} finally {
  await servers.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** What the tests of an area need, once for all runs: Jest's own set-up would start it for each mutant. */
async function startServers(which) {
  if (which === 'temporal') {
    await require(path.join(root, 'test/helpers/global-setup.ts')).default();
    return { stop: () => require(path.join(root, 'test/helpers/global-teardown.ts')).default() };
  }
  if (which !== 'postgres') return { stop: async () => undefined };
  const { TEST_POSTGRES, offerPostgres } = require(path.join(root, 'test/helpers/shared-postgres.ts'));
  const { url, close } = await offerPostgres();
  process.env[TEST_POSTGRES] = url;
  return { stop: close };
}
