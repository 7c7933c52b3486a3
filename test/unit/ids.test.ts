import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { batcherWorkflowId, isBatcherOf, shardOf } from '../../src/contracts/workflow/ids';

test('The id of a batcher consists of BATCHER_ID and the number of its shard.', () => {
  expect(batcherWorkflowId('batcher', 0)).toBe('batcher-0');
  expect(batcherWorkflowId('eu-west', 12)).toBe('eu-west-12');
});

test.each([
  ['batcher', 'batcher-0', true],
  ['batcher', 'batcher-63', true],
  ['eu-west', 'eu-west-1', true],
  ['eu', 'eu-west-1', false],
  ['batcher', 'batcher', false],
  ['batcher', 'batcher-', false],
  ['batcher', 'batcher-0-00000001', false],
])('With BATCHER_ID %s, whether the workflow %s is a batcher is %s.', (batcherId, workflowId, isOne) => {
  expect(isBatcherOf(batcherId, workflowId)).toBe(isOne);
});

// Another answer here after a release means that readers look for earlier requests in the wrong shard.
test.each([
  ['a', 0xe40c292c],
  ['00000000-0000-4000-8000-000000000001', 3_480_239_522],
  ['é🎈', 2_530_270_240],
])('G5: request %s stays in its shard from release to release.', (requestId, hash) => {
  expect(shardOf(requestId, 2 ** 32)).toBe(hash);
  for (const shards of [1, 2, 3, 8, 64]) expect(shardOf(requestId, shards)).toBe(hash % shards);
});

test('Every request has one of the existing shards.', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 64 }), (requestId, shards) => {
      const shard = shardOf(requestId, shards);
      expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true);
      expect(shardOf(requestId, shards)).toBe(shard);
    }),
  );
});

const WAYS_TO_NAME: [string, (i: number) => string][] = [
  ['random', (i) => createHash('sha256').update(String(i)).digest('hex').slice(0, 32)],
  ['counted', (i) => `order-${i}`],
  ['counted with leading zeros', (i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`],
  ['timed', (i) => new Date(1_800_000_000_000 + i * 1000).toISOString()],
];

describe.each(WAYS_TO_NAME)('requests with %s ids', (_, idOf) => {
  test.each([2, 3, 5, 8, 64])(
    'are spread over %d shards, none with half as much again as its part.',
    (shards) => {
      const part = 500;
      const counts = new Array<number>(shards).fill(0);
      for (let i = 0; i < part * shards; i++) {
        const shard = shardOf(idOf(i), shards);
        counts[shard] = (counts[shard] ?? 0) + 1;
      }
      expect(Math.max(...counts)).toBeLessThan(part * 1.5);
      expect(Math.min(...counts)).toBeGreaterThan(part / 2);
    },
  );
});
