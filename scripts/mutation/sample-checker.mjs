// A plugin of Stryker: lets a sample of the mutants through to the tests, chosen by a seed. The others count as not valid,
// which the score leaves out.
import path from 'node:path';
import { createHash } from 'node:crypto';
import { PluginKind, commonTokens, declareClassPlugin, tokens } from '@stryker-mutator/api/plugin';
import { nameOf } from './mutants.mjs';

class SampleChecker {
  static inject = tokens(commonTokens.options);

  constructor(options) {
    const { sample, seed, only } = options.mutationSample;
    this.sample = sample;
    this.seed = seed;
    this.only = only && new Set(only);
  }

  async init() {}

  /** All at once, as which are chosen depends on all. */
  async group(mutants) {
    return [mutants.map(({ id }) => id)];
  }

  async check(mutants) {
    const ranked = mutants
      .map((mutant) => ({ id: mutant.id, rank: this.rank(mutant) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1));
    return Object.fromEntries(
      ranked.map(({ id }, i) => [
        id,
        i < this.sample ? { status: 'passed' } : { status: 'compileError', reason: 'not in the sample' },
      ]),
    );
  }

  /** By what the mutant is and not by its number, so that a change elsewhere leaves most of the sample as it was. */
  rank({ fileName, location, mutatorName, replacement }) {
    const place = `${path.basename(fileName)} ${location.start.line - 0}:${location.start.column}`;
    return createHash('sha256')
      .update(
        `${this.seed} ${place} ${location.end.line}:${location.end.column} ${mutatorName} ${replacement}`,
      )
      .digest('hex');
  }
}

function digestOf(text) {
  return createHash('sha256').update(text).digest('hex');
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Checker, 'sample', SampleChecker)];
