// A plugin of Stryker: its runner for Jest, which otherwise loads every test file for every mutant and runs on after the
// first test that fails. This one loads the files that run the mutant, the fastest first, and stops when one has failed.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PluginKind, declareFactoryPlugin, tokens, commonTokens } from '@stryker-mutator/api/plugin';
import { strykerPlugins as jestPlugins } from '@stryker-mutator/jest-runner';

/** Read by test-filter.cjs. */
const FILES = 'KEEPAPART_MUTATION_TEST_FILES';

/** How long the tests of the first files that are run together take, in milliseconds; those of the next ones take longer. */
const FIRST_TOGETHER_MS = 2000;
const LATER_BY = 3;

class FastestFirst {
  constructor(jest, folder) {
    this.jest = jest;
    this.testsFile = path.join(folder, 'tests.json');
  }

  capabilities() {
    return this.jest.capabilities();
  }

  init() {
    return this.jest.init();
  }

  async dryRun(options) {
    delete process.env[FILES];
    const result = await this.jest.dryRun(options);
    // For a runner that takes over after this one was stopped.
    if (result.status === 'complete')
      writeFileSync(
        this.testsFile,
        JSON.stringify(result.tests.map(({ id, fileName, timeSpentMs }) => ({ id, fileName, timeSpentMs }))),
      );
    return result;
  }

  async mutantRun(options) {
    this.tests ??= JSON.parse(readFileSync(this.testsFile, 'utf8'));
    const wanted = options.testFilter && new Set(options.testFilter);
    const files = new Map();
    for (const { id, fileName, timeSpentMs } of this.tests) {
      if (wanted && !wanted.has(id)) continue;
      const file = files.get(fileName) ?? { fileName, ms: 0, ids: [] };
      files.set(fileName, file);
      file.ms += timeSpentMs;
      file.ids.push(id);
    }
    let nrOfTests = 0;
    for (const together of portions([...files.values()].sort((a, b) => a.ms - b.ms))) {
      process.env[FILES] = JSON.stringify(together.map(({ fileName }) => fileName));
      const testFilter = wanted && together.flatMap(({ ids }) => ids);
      const result = await this.jest.mutantRun({ ...options, testFilter });
      if (result.status !== 'survived') return result;
      nrOfTests += result.nrOfTests;
    }
    return { status: 'survived', nrOfTests };
  }
}

function portions(files) {
  const portions = [];
  let left = 0;
  let most = FIRST_TOGETHER_MS;
  for (const file of files) {
    if (portions.length === 0 || left < file.ms) {
      portions.push([]);
      left = most;
      most *= LATER_BY;
    }
    left -= file.ms;
    portions.at(-1).push(file);
  }
  return portions;
}

function createRunner(injector, options) {
  const [{ factory }] = jestPlugins;
  return new FastestFirst(injector.injectFunction(factory), options.mutationFolder);
}
createRunner.inject = tokens(commonTokens.injector, commonTokens.options);

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'fastest-first', createRunner)];
