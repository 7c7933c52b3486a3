import { didYouMean } from '../../src/cli/terminal/did-you-mean';
import { LIMIT_KEYS } from '../../src/domain/limits';

test.each([
  ['maxinflight', 'maxInFlight'],
  ['MAX_INFLIHGT', 'maxInFlight'],
  ['max-batch-size', 'maxBatchSize'],
  ['conflict', 'conflicts'],
  ['batch', undefined],
  ['', undefined],
])('%j is taken for %j', (name, meant) => {
  expect(didYouMean(name, LIMIT_KEYS)).toBe(meant);
});
