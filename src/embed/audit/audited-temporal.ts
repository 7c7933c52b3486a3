import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Config } from '../../config';
import { isKeepapartError } from '../../domain/errors';
import type { ShardSum } from '../../domain/audit/report';
import type { CutBy } from '../../domain/rules/cut-by';
import { listAllBatches, type ListedBatch } from '../../temporal/children/all-batches';
import { createBatchReader } from '../../temporal/children/batch-reader';
import { batcherAddress } from '../../temporal/shard/batcher-address';
import { createBatchList } from '../../temporal/children/batch-pages';
import type { Shard } from '../../temporal/shard/shard';
import { Shards } from '../../temporal/shard/shards';
import { createPageReader } from '../../temporal/views/page-reader';
import { findWaiting, type Waiting } from '../../temporal/views/waiting-records';
import { auditBatches } from './audit-batches';
import type { AuditWatch } from './audit-watch';

/** A running Temporal server, as an audit asks it. Registers and changes nothing there. */
export interface AuditedTemporal {
  namespace: string;
  batcherId: string;
  /** Every batch that is listed, by its id, each held against its file. */
  readBatches(
    outDir: string,
    watch?: AuditWatch,
  ): Promise<{ listed: Map<string, ListedBatch> } & Awaited<ReturnType<typeof auditBatches>>>;
  /** What a batch was cut by; undefined when Temporal doesn't know it, or it began before that was noted. */
  readCut(batchId: string | undefined): Promise<CutBy | undefined>;
  /** Which of these records batchers, pages and these batches hold. */
  findWaiting(recordIds: Iterable<string>, batchIds: Iterable<string>): Promise<Waiting>;
  /** What each open batcher accepted and where that is now; and the batchers that did not answer. */
  readSums(): Promise<{ sums: ShardSum[]; silentBatchers: string[] }>;
}

/** Undefined where the batcher doesn't answer. */
async function sumOf(shard: Shard): Promise<ShardSum | undefined> {
  try {
    const { counters, bufferedRecords, inFlightRecords, unaccounted } = await shard.status();
    const { accepted, saved, rolledBack, lost } = counters;
    const { batcher } = shard;
    return { batcher, accepted, saved, rolledBack, lost, bufferedRecords, inFlightRecords, unaccounted };
  } catch (error) {
    if (isKeepapartError(error) && error.code === 'temporal-unavailable') return undefined;
    throw error;
  }
}

export function auditedTemporal(client: Client, config: Config): AuditedTemporal {
  const shards = new Shards(client, batcherAddress(config), config);
  const list = createBatchList(client, config.batcherId);
  const reader = createBatchReader(client);
  return {
    namespace: client.options.namespace,
    batcherId: config.batcherId,
    async readBatches(outDir, watch) {
      const listed = await listAllBatches(list, { most: watch?.most.batches });
      return { listed, ...(await auditBatches([...listed.values()], reader, outDir, watch)) };
    },
    async readCut(batchId) {
      try {
        const facts = batchId === undefined ? undefined : await reader.facts(batchId);
        return facts && (await reader.input(facts.summary)).cutBy;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }
    },
    findWaiting: (recordIds, batchIds) =>
      findWaiting({ shards, batches: reader, pages: createPageReader(client) }, recordIds, batchIds),
    async readSums() {
      const all = await Promise.all(
        (await shards.all()).map(async (shard) => [shard.batcher, await sumOf(shard)] as const),
      );
      return {
        sums: all.flatMap(([, sum]) => sum ?? []),
        silentBatchers: all.flatMap(([batcher, sum]) => (sum === undefined ? [batcher] : [])),
      };
    },
  };
}
