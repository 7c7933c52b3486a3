import { closestName, didYouMean } from '../../src/domain/closest-name';
import { LIMIT_KEYS } from '../../src/domain/limits';

test.each([
  ['maxinflight', 'maxInFlight'],
  ['MAX_INFLIHGT', 'maxInFlight'],
  ['max-batch-size', 'maxBatchSize'],
  ['conflict', 'conflicts'],
  ['batch', undefined],
  ['', undefined],
])('Of the limits, %j is taken for %j.', (name, meant) => {
  expect(closestName(name, LIMIT_KEYS)).toBe(meant);
});

test('Two neighbouring letters that are swapped are one mistake, so that short words are recognised too.', () => {
  expect(closestName('zhs', ['bash', 'zsh', 'fish'])).toBe('zsh');
});

test('A common prefix makes no two names similar.', () => {
  const known = ['KEEPAPART_STORE', 'KEEPAPART_SHARDS'];
  expect(closestName('KEEPAPART_STATES', known)).toBe('KEEPAPART_STORE');
  expect(closestName('KEEPAPART_STATES', known, 'KEEPAPART_')).toBeUndefined();
  expect(closestName('KEEPAPART_SHARD', known, 'KEEPAPART_')).toBe('KEEPAPART_SHARDS');
});

test('As an addition to a message, a name that resembles nothing adds nothing.', () => {
  expect(didYouMean('postgrse', ['file', 'postgres'])).toBe('; did you mean postgres?');
  expect(didYouMean('oracle', ['file', 'postgres'])).toBe('');
});
