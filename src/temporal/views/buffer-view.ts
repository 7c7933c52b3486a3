import type { BufferView } from '../../contracts/api/answers/buffer';
import type { Shards } from '../shard/shards';

/** The first records of the buffer of every open shard. Needs a worker. */
export async function readBuffer(shards: Shards): Promise<BufferView> {
  const all = await shards.all();
  return {
    shards: await Promise.all(
      all.map(async (asked) => {
        const { records, more } = await asked.sample();
        return {
          shard: asked.shard,
          batcher: asked.batcher,
          records: records.map(({ recordId, value, acceptedAtMs, heldBy }) => ({
            recordId,
            value,
            acceptedAt: new Date(acceptedAtMs).toISOString(),
            heldBy:
              heldBy === undefined
                ? null
                : {
                    batches: heldBy.childIds,
                    until: heldBy.untilMs === null ? null : new Date(heldBy.untilMs).toISOString(),
                  },
          })),
          more,
        };
      }),
    ),
  };
}
