import type { WaitsView } from '../../contracts/api/views';
import type { Shards } from '../shard/shards';
import { waitView } from './wait-view';

/** What the buffer of every open shard waits for. Needs a worker. */
export async function readWaits(shards: Shards): Promise<WaitsView> {
  const all = await shards.all();
  return {
    shards: await Promise.all(
      all.map(async (asked) => {
        const { counts, rules } = await asked.waits();
        const { shard, batcher } = asked;
        return {
          shard,
          batcher,
          bufferedRecords: counts.reduce((sum, { records }) => sum + records, 0),
          waits: counts
            .map(({ records, ...wait }) => ({ ...waitView(wait), records }))
            .sort((a, b) => b.records - a.records),
          rules,
        };
      }),
    ),
  };
}
