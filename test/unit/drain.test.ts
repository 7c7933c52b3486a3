import type { BatcherStatus, DrainStatus } from '../../src/contracts/workflow/batcher';
import { KeepapartError } from '../../src/domain/errors';
import { drain } from '../../src/temporal/shard/drain';
import type { Shards } from '../../src/temporal/shard/shards';

/** A shard that answers, look by look, how much of a drain is left, or with an error. */
function shardWith(...looks: (Partial<DrainStatus> | Error)[]): Shards {
  const left = [...looks];
  const status = (): Promise<BatcherStatus> => {
    const look = left.length > 1 ? left.shift() : left[0];
    if (look instanceof Error) return Promise.reject(look);
    const drained = { by: 'test', atMs: 0, bufferedRecords: 0, inFlight: 0, ...look };
    return Promise.resolve({ paused: null, storeAway: null, drain: drained } as unknown as BatcherStatus);
  };
  const shard = { shard: 0, batcher: 'b-0', control: () => Promise.resolve(), status };
  return { all: () => Promise.resolve([shard]) } as unknown as Shards;
}

const away = () => new KeepapartError('temporal-unavailable', 'no worker');
const options = { timeoutMs: 60_000 };

test('A drain that finds the worker away looks again, and ends when everything has its outcome.', async () => {
  const shards = shardWith(away(), { inFlight: 1 }, away(), {});
  const looks: number[] = [];
  const report = await drain(shards, 'test', {
    ...options,
    onProgress: ({ shards: [shard] }) => looks.push(shard?.inFlight ?? -1),
  });
  expect(report).toMatchObject({ drained: true, shards: [{ bufferedRecords: 0, inFlight: 0 }] });
  expect(looks).toEqual([1, 0]);
});

test('A drain whose last look finds the worker away says so, instead of what it saw before.', async () => {
  const shards = shardWith({ inFlight: 1 }, away());
  let looks = 0;
  const stillWanted = () => looks === 0;
  const draining = drain(shards, 'test', { ...options, stillWanted, onProgress: () => looks++ });
  await expect(draining).rejects.toMatchObject({ code: 'temporal-unavailable' });
});

test('A drain fails at once with what is no absence of the worker.', async () => {
  await expect(drain(shardWith(new TypeError('a bug'), {}), 'test', options)).rejects.toThrow('a bug');
});
