import { NO_COUNTS, type BatcherCounters, type BatcherStatus } from '../../contracts/workflow/batcher';
import type { PaceStatus } from '../../contracts/workflow/batcher-status';
import type { PipelineSettings } from '../../contracts/workflow/settings';
import type { PaceView, ShardView, StatusView } from '../../contracts/api/answers/status';
import { storeAwayView } from '../shard/store-away';
import type { Shards } from '../shard/shards';
import { cutsView } from './cut-view';

/** A shard and what its batcher reported. */
export interface ReportedShard {
  shard: number;
  batcher: string;
  status: BatcherStatus;
}

/** The status of every open shard, and their sums. Needs a worker. */
export async function readStatus(shards: Shards, nowMs: number): Promise<StatusView> {
  const all = await shards.all();
  const reported = await Promise.all(
    all.map(async (asked) => ({ shard: asked.shard, batcher: asked.batcher, status: await asked.status() })),
  );
  return statusView(reported, shards.address.settings, nowMs);
}

/** What the batchers reported, shard by shard and summed. @param settings where no shard reports any */
export function statusView(
  reported: readonly ReportedShard[],
  settings: PipelineSettings,
  nowMs: number,
): StatusView {
  const views = reported.map((shard) => shardView(shard, nowMs));
  const cuts = cutsView(reported.map(({ status }) => status.cuts));
  return {
    shards: views,
    total: { ...totalOf(views), cuts },
    settings: reported[0]?.status.settings ?? settings,
  };
}

function shardView({ shard, batcher, status }: ReportedShard, nowMs: number): ShardView {
  const { bufferedRecords, bufferedBytes, oldestAcceptedAtMs, inFlight, counters, paused, drain } = status;
  const { shape, sinceMs, due, storeIsSlow } = status.saving;
  return {
    shard,
    batcher,
    bufferedRecords,
    bufferedBytes,
    oldestAgeMs: ageOf(oldestAcceptedAtMs, nowMs),
    oldestDueAgeMs: ageOf(status.oldestDueAtMs, nowMs),
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
  const greatest = (pick: (shard: ShardView) => number | null) => {
    const known = shards.flatMap((shard) => pick(shard) ?? []);
    return known.length === 0 ? null : Math.max(...known);
  };
  const counters = { ...NO_COUNTS };
  for (const name of Object.keys(counters) as (keyof BatcherCounters)[]) {
    counters[name] = sum((shard) => shard.counters[name]);
  }
  return {
    bufferedRecords: sum((shard) => shard.bufferedRecords),
    bufferedBytes: sum((shard) => shard.bufferedBytes),
    oldestAgeMs: greatest(({ oldestAgeMs }) => oldestAgeMs),
    oldestDueAgeMs: greatest(({ oldestDueAgeMs }) => oldestDueAgeMs),
    inFlight: sum((shard) => shard.inFlight),
    inFlightRecords: sum((shard) => shard.inFlightRecords),
    unaccounted: sum((shard) => shard.unaccounted),
    counters,
    paused: shards.some((shard) => shard.paused !== null),
  };
}

function ageOf(sinceMs: number | null, nowMs: number): number | null {
  return sinceMs === null ? null : Math.max(0, nowMs - sinceMs);
}
