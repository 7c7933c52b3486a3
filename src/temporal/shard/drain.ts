import { setTimeout as sleep } from 'node:timers/promises';
import { drainSignal } from '../../contracts/workflow/batcher';
import type { DrainOptions, DrainReport, DrainingShard } from '../../contracts/api/drain';
import { storeAwayView } from '../../contracts/api/views';
import { isKeepapartError } from '../../domain/errors';
import type { Shard } from './shard';
import type { Shards } from './shards';

const LOOK_EVERY_MS = 200;

/**
 * Flushes every open shard, and watches until that is done, can't go on, or the time is over. Records keep being accepted
 * meanwhile; they are no part of it.
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
    const mayGoOn = Date.now() - atMs < timeoutMs && stillWanted();
    const draining = await look(all, mayGoOn);
    if (draining !== undefined) {
      const left = draining.filter(({ bufferedRecords, inFlight }) => bufferedRecords + inFlight > 0);
      const report: DrainReport = { drained: left.length === 0, shards: draining, by, atMs };
      onProgress(report);
      const stuck = left.some(({ bufferedRecords, paused }) => bufferedRecords > 0 && paused !== null);
      if (report.drained || stuck || !mayGoOn) return report;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** `undefined` when Temporal or the worker is away for now, as at a restart of either; throws when it is the last look. */
async function look(shards: readonly Shard[], mayGoOn: boolean): Promise<DrainingShard[] | undefined> {
  try {
    return await Promise.all(shards.map(drainingShard));
  } catch (error) {
    if (mayGoOn && isKeepapartError(error) && error.code === 'temporal-unavailable') return undefined;
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
