import type { ShardReading } from '../../src/contracts/workflow/readings';
import { Readings } from '../../src/temporal/shard/readings';
import type { Shard } from '../../src/temporal/shard/shard';

/** A shard whose answers the test gives. */
function shardOf() {
  const waiting: ((reading: ShardReading | undefined) => void)[] = [];
  let asked = 0;
  const shard = {
    shard: 0,
    batcher: 'batcher-0',
    read: () => {
      asked++;
      return new Promise<ShardReading | undefined>((resolve) => waiting.push(resolve));
    },
  } as unknown as Shard;
  return {
    asked: () => asked,
    answer: (reading: object | undefined) => waiting.shift()?.(reading as ShardReading | undefined),
    readings: (now: () => number) => new Readings({ seen: () => [shard] }, now),
  };
}

const READING = { atMs: 1 };
const SOON = { everyMs: 5000, waitMs: 3_600_000 };
const AT_ONCE = { everyMs: 5000, waitMs: 0 };

test('However many look on, a batcher is asked once in the time that they name.', async () => {
  let nowMs = 0;
  const shard = shardOf();
  const readings = shard.readings(() => nowMs);
  const looks = Array.from({ length: 10 }, () => readings.look(SOON));
  shard.answer(READING);
  expect((await Promise.all(looks)).flat().map(({ reading }) => reading)).toEqual(Array(10).fill(READING));
  nowMs = 4999;
  await readings.look(SOON);
  expect(shard.asked()).toBe(1);
  nowMs = 5000;
  const look = readings.look(SOON);
  shard.answer({ atMs: 2 });
  expect((await look)[0]?.reading).toEqual({ atMs: 2 });
  expect(shard.asked()).toBe(2);
});

test('A batcher that does not answer holds nobody up, and its last answer stands for twenty seconds.', async () => {
  let nowMs = 0;
  const shard = shardOf();
  const readings = shard.readings(() => nowMs);
  expect(await readings.look(AT_ONCE)).toEqual([{ shard: 0, batcher: 'batcher-0', reading: undefined }]);
  shard.answer(READING);
  expect((await readings.look(SOON))[0]?.reading).toEqual(READING);
  nowMs = 19_999;
  expect((await readings.look(AT_ONCE))[0]?.reading).toEqual(READING);
  nowMs = 20_000;
  expect((await readings.look(AT_ONCE))[0]?.reading).toBeUndefined();
  // The question is still on its way: no second one is put beside it.
  expect(shard.asked()).toBe(2);
});
