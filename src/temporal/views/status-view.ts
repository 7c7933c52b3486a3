import { NO_COUNTS, type BatcherCounters, type BatcherStatus } from '../../contracts/workflow/batcher';
import type { PaceStatus } from '../../contracts/workflow/batcher-status';
import { storeAwayView, type PaceView, type ShardView, type StatusView } from '../../contracts/api/views';
import type { Shard } from '../shard/shard';
import type { Shards } from '../shard/shards';
import { cutsView } from './cut-view';

/** The status of every open shard, and their sums. Needs a worker. */
export async function readStatus(shards: Shards, nowMs: number): Promise<StatusView> {
  const all = await shards.all();
  const statuses = await Promise.all(all.map((shard) => shard.status()));
  const views = all.flatMap((shard, i) => {
    const status = statuses[i];
    return status === undefined ? [] : [shardView(shard, status, nowMs)];
  });
  const cuts = cutsView(statuses.map((status) => status.cuts));
  const settings = statuses[0]?.settings ?? shards.address.settings;
  return { shards: views, total: { ...totalOf(views), cuts }, settings };
}

function shardView({ shard, batcher }: Shard, status: BatcherStatus, nowMs: number): ShardView {
  const { bufferedRecords, bufferedBytes, oldestAcceptedAtMs, inFlight, counters, paused, drain } = status;
  const { shape, sinceMs, due, storeIsSlow } = status.saving;
  return {
    shard,
    batcher,
    bufferedRecords,
    bufferedBytes,
    oldestAgeMs: oldestAcceptedAtMs === null ? null : Math.max(0, nowMs - oldestAcceptedAtMs),
    inFlight,
    inFlightRecords: status.inFlightRecords,
    unaccounted: status.unaccounted,
    counters,
    cuts: cutsView([status.cuts]),
    pages: status.pages,
    run: status.run,
    saving: { shape, since: sinceMs === 0 ? null : new Date(sinceMs).toISOString(), due, storeIsSlow },
    paused,
    pace: paceView(status.pace),
    storeAway: storeAwayView(status.storeAway),
    drain,
    overridden: status.overridden,
  };
}

function paceView(pace: PaceStatus | null): PaceView | null {
  if (pace === null) return null;
  const { untilMs, ...told } = pace;
  return { ...told, until: untilMs === null ? null : new Date(untilMs).toISOString() };
}

function totalOf(shards: readonly ShardView[]): Omit<StatusView['total'], 'cuts'> {
  const sum = (pick: (shard: ShardView) => number) => shards.reduce((total, shard) => total + pick(shard), 0);
  const ages = shards.flatMap((shard) => (shard.oldestAgeMs === null ? [] : [shard.oldestAgeMs]));
  const counters = { ...NO_COUNTS };
  for (const name of Object.keys(counters) as (keyof BatcherCounters)[]) {
    counters[name] = sum((shard) => shard.counters[name]);
  }
  return {
    bufferedRecords: sum((shard) => shard.bufferedRecords),
    bufferedBytes: sum((shard) => shard.bufferedBytes),
    oldestAgeMs: ages.length === 0 ? null : Math.max(...ages),
    inFlight: sum((shard) => shard.inFlight),
    inFlightRecords: sum((shard) => shard.inFlightRecords),
    unaccounted: sum((shard) => shard.unaccounted),
    counters,
    paused: shards.some((shard) => shard.paused !== null),
  };
}
