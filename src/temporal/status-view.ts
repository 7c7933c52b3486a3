import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { NO_COUNTS, statusQuery, type BatcherCounters, type BatcherStatus } from '../contracts/batcher';
import { batcherWorkflowId } from '../contracts/ids';
import type { PipelineSettings } from '../contracts/settings';
import type { ShardView, StatusView } from '../contracts/views';
import { cutsView } from './cut-view';
import type { BatcherAddress } from './ingest';
import { callTemporal } from './rpc';

/** Asks every shard's batcher and sums up. Needs a worker that answers queries. */
export async function readStatus(
  client: Client,
  address: BatcherAddress,
  nowMs: number,
): Promise<StatusView> {
  const statuses = await Promise.all(
    Array.from({ length: address.shards }, (_, shard) => readShard(client, address, shard)),
  );
  const shards = statuses.map((status, shard) => shardView(address, shard, status, nowMs));
  const cuts = cutsView(statuses.flatMap((status) => status.cuts ?? []));
  return { shards, total: { ...totalOf(shards), cuts }, settings: statuses[0]?.settings ?? address.settings };
}

/** What one shard's batcher says of itself; an empty one where none has been started. */
export async function readShard(
  client: Client,
  address: BatcherAddress,
  shard: number,
): Promise<BatcherStatus> {
  const workflowId = batcherWorkflowId(address.batcherId, shard);
  try {
    return await callTemporal(client, `could not ask ${workflowId} for its status`, () =>
      client.workflow.getHandle(workflowId).query(statusQuery),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return neverStarted(address.settings);
    throw error;
  }
}

function shardView(address: BatcherAddress, shard: number, status: BatcherStatus, nowMs: number): ShardView {
  const { bufferedRecords, bufferedBytes, oldestAcceptedAtMs, inFlight, counters, paused, drain } = status;
  return {
    shard,
    batcher: batcherWorkflowId(address.batcherId, shard),
    bufferedRecords,
    bufferedBytes,
    oldestAgeMs: oldestAcceptedAtMs === null ? null : Math.max(0, nowMs - oldestAcceptedAtMs),
    inFlight,
    counters,
    cuts: cutsView(status.cuts === undefined ? [] : [status.cuts]),
    paused,
    drain,
    overridden: status.overridden ?? {},
  };
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
    counters,
    paused: shards.some((shard) => shard.paused !== null),
  };
}

function neverStarted(settings: PipelineSettings): BatcherStatus {
  return {
    bufferedRecords: 0,
    bufferedBytes: 0,
    oldestAcceptedAtMs: null,
    inFlight: 0,
    counters: NO_COUNTS,
    paused: null,
    drain: null,
    pages: 0,
    settings,
    run: { historyEvents: 0, historyBytes: 0, messages: 0, continuedAsNew: 0 },
  };
}
