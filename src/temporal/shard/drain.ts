import { setTimeout as sleep } from 'node:timers/promises';
import { drainSignal } from '../../contracts/workflow/batcher';
import type { DrainReport, DrainingShard } from '../../contracts/api/answers/drain';
import type { DrainOptions } from '../../contracts/batcher-client';
import { storeAwayView } from './store-away';
import { isKeepapartError } from '../../domain/errors';
import type { Shard } from './shard';
import type { Shards } from './shards';

const LOOK_EVERY_MS = 200;

/**
 * Flushes every open shard and waits until it is drained, can't continue, or the time is over. Records that are accepted
 * meanwhile are not part of the drain.
 */
export async function drain(
  shards: Shards,
  by: string,
  { timeoutMs, stillWanted = () => true, onProgress = () => undefined }: DrainOptions,
): Promise<DrainReport> {
  const atMs = Date.now();
  const all = await shards.all();
  await Promise.all(all.map((shard) => shard.control(drainSignal, { by, atMs })));
  for (;;) {
    const mayContinue = Date.now() - atMs < timeoutMs && stillWanted();
    const draining = await look(all, mayContinue);
    if (draining !== undefined) {
      const left = draining.filter(({ bufferedRecords, inFlight }) => bufferedRecords + inFlight > 0);
      const report: DrainReport = { drained: left.length === 0, shards: draining, by, atMs };
      onProgress(report);
      const stuck = left.some(({ bufferedRecords, paused }) => bufferedRecords > 0 && paused !== null);
      if (report.drained || stuck || !mayContinue) return report;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Undefined while Temporal or the worker is unavailable, for example during a restart; the last look throws instead. */
async function look(shards: readonly Shard[], mayContinue: boolean): Promise<DrainingShard[] | undefined> {
  try {
    return await Promise.all(shards.map(drainingShard));
  } catch (error) {
    if (mayContinue && isKeepapartError(error) && error.code === 'temporal-unavailable') return undefined;
    throw error;
  }
}

async function drainingShard(shard: Shard): Promise<DrainingShard> {
  const status = await shard.status();
  const { bufferedRecords, inFlight } = status.drain ?? status;
  return {
    shard: shard.shard,
    batcher: shard.batcher,
    bufferedRecords,
    inFlight,
    paused: status.paused,
    storeAway: storeAwayView(status.storeAway),
  };
}
