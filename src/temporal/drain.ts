import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { BatcherStatus } from '../contracts/batcher';
import type { DrainOptions, DrainReport, DrainingShard } from '../contracts/drain';
import { batcherWorkflowId } from '../contracts/ids';
import { isKeepapartError } from '../domain/errors';
import type { BatcherAddress, Ingest } from './ingest';
import { readShard } from './status-view';

const LOOK_EVERY_MS = 200;

/**
 * Has every shard let go what it holds, and looks how far that is until it is done, can't go on, or the time is over.
 * Records keep being accepted meanwhile; they are no part of it.
 */
export async function drain(
  client: Client,
  address: BatcherAddress,
  ingest: Ingest,
  by: string,
  { timeoutMs, stillWanted = () => true, onProgress = () => undefined }: DrainOptions,
): Promise<DrainReport> {
  const atMs = Date.now();
  await ingest.drain(by);
  for (;;) {
    const mayGoOn = Date.now() - atMs < timeoutMs && stillWanted();
    const shards = await look(client, address, mayGoOn);
    if (shards !== undefined) {
      const left = shards.filter(({ bufferedRecords, inFlight }) => bufferedRecords + inFlight > 0);
      const report: DrainReport = { drained: left.length === 0, shards, by, atMs };
      onProgress(report);
      const stuck = left.some(({ bufferedRecords, paused }) => bufferedRecords > 0 && paused !== null);
      if (report.drained || stuck || !mayGoOn) return report;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** `undefined` when Temporal or the worker is away for now, as at a restart of either; throws when it is the last look. */
async function look(
  client: Client,
  address: BatcherAddress,
  mayGoOn: boolean,
): Promise<DrainingShard[] | undefined> {
  try {
    const shards = Array.from({ length: address.shards }, async (_, shard) =>
      shardOf(address, shard, await readShard(client, address, shard)),
    );
    return await Promise.all(shards);
  } catch (error) {
    if (mayGoOn && isKeepapartError(error) && error.code === 'temporal-unavailable') return undefined;
    throw error;
  }
}

/** Everything counts where a worker of 0.1.0 answers, which doesn't follow drains. */
function shardOf(address: BatcherAddress, shard: number, status: BatcherStatus): DrainingShard {
  const { bufferedRecords, inFlight } = (status.drain as BatcherStatus['drain'] | undefined) ?? status;
  return {
    shard,
    batcher: batcherWorkflowId(address.batcherId, shard),
    bufferedRecords,
    inFlight,
    paused: status.paused,
  };
}
