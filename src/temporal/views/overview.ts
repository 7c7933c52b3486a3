import type { Overview } from '../../contracts/api/answers/live';
import { PICTURE_EVERY_MS, SILENT_AFTER_MS } from '../../contracts/api/live';
import type { PipelineSettings } from '../../contracts/workflow/settings';
import type { Readings } from '../shard/readings';
import { statusView } from './status-view';
import { shardWaitsView } from './waits-view';

/** Each batcher is asked once in this time, however many ask here. A little less than a picture takes, so that none is skipped. */
const LOOK = { everyMs: 0.9 * PICTURE_EVERY_MS, waitMs: 0.8 * PICTURE_EVERY_MS };

/** Every shard as its batcher last reported it; waits for a batcher that doesn't answer for less than a second. */
export async function readOverview(
  readings: Pick<Readings, 'look'>,
  settings: PipelineSettings,
): Promise<Overview> {
  const shards = await readings.look(LOOK);
  const nowMs = Date.now();
  const known = shards.flatMap(({ reading }) => reading ?? []);
  return {
    status: known.length === 0 ? null : statusView(known, settings, nowMs),
    waits: { shards: known.map((reading) => shardWaitsView(reading, reading.waits)) },
    asOfMs: known.length === 0 ? null : Math.min(...known.map(({ atMs }) => atMs)),
    silent: shards.flatMap(({ batcher, reading }) =>
      reading === undefined || nowMs - reading.atMs > SILENT_AFTER_MS ? [batcher] : [],
    ),
  };
}
