import type { ShardWaitsView, WaitsView } from '../../contracts/api/answers/requests';
import type { BufferWaits } from '../../contracts/workflow/waits';
import type { Shards } from '../shard/shards';
import { waitView } from './wait-view';

/** What the buffer of every open shard waits for. Needs a worker. */
export async function readWaits(shards: Shards): Promise<WaitsView> {
  const all = await shards.all();
  return {
    shards: await Promise.all(all.map(async (asked) => shardWaitsView(asked, await asked.waits()))),
  };
}

/** What a batcher reported of its buffer, as it is shown. */
export function shardWaitsView(
  { shard, batcher }: { shard: number; batcher: string },
  { counts, rules }: BufferWaits,
): ShardWaitsView {
  return {
    shard,
    batcher,
    bufferedRecords: counts.reduce((sum, { records }) => sum + records, 0),
    waits: counts
      .map(({ records, ...wait }) => ({ ...waitView(wait), records }))
      .sort((a, b) => b.records - a.records),
    rules,
  };
}
