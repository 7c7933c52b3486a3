import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Config } from '../../config';
import { KeepapartError } from '../../domain/errors';
import type { CutBy } from '../../domain/cut-by';
import { listAllBatches, type ListedBatch } from '../../temporal/children/all-batches';
import { createBatchReader } from '../../temporal/children/batch-reader';
import { batcherAddress } from '../../temporal/shard/batcher-address';
import { connectClient } from '../../temporal/server/connection';
import { createBatchList } from '../../temporal/children/batch-pages';
import { Shards } from '../../temporal/shard/shards';
import { createPageReader } from '../../temporal/views/page-reader';
import { findWaiting, type Waiting } from '../../temporal/views/waiting-records';
import { findTemporal } from '../temporal-role';
import { auditBatches } from './audit-batches';

/** A running Temporal server, as an audit asks it. Registers and changes nothing there. */
export interface AuditedTemporal {
  namespace: string;
  batcherId: string;
  /** Every batch that is listed, by its id, each held against its file. */
  readBatches(
    outDir: string,
  ): Promise<{ listed: Map<string, ListedBatch> } & Awaited<ReturnType<typeof auditBatches>>>;
  /** What a batch was cut by; undefined when Temporal doesn't know it, or it began before that was noted. */
  readCut(batchId: string | undefined): Promise<CutBy | undefined>;
  /** Which of these records batchers, pages and these batches hold. */
  findWaiting(recordIds: Iterable<string>, batchIds: Iterable<string>): Promise<Waiting>;
}

/**
 * Runs something with the server that the configuration names, or with the embedded one.
 * @throws KeepapartError `temporal-unavailable` when there is none
 */
export async function withTemporal<T>(
  config: Config,
  run: (temporal: AuditedTemporal) => Promise<T>,
): Promise<T> {
  const found = await findTemporal(config);
  if (found === undefined) {
    throw new KeepapartError(
      'temporal-unavailable',
      `no Temporal server runs at TEMPORAL_PORT (${config.temporalPort}): start keepapart, set TEMPORAL_ADDRESS, ` +
        'or audit without --temporal',
    );
  }
  const client = await connectClient(found.target);
  try {
    return await run(auditedTemporal(client, config));
  } finally {
    await client.connection.close();
  }
}

export function auditedTemporal(client: Client, config: Config): AuditedTemporal {
  const shards = new Shards(client, batcherAddress(config), config);
  const list = createBatchList(client, config.batcherId);
  const reader = createBatchReader(client);
  return {
    namespace: client.options.namespace,
    batcherId: config.batcherId,
    async readBatches(outDir) {
      const listed = await listAllBatches(list);
      return { listed, ...(await auditBatches([...listed.values()], reader, outDir)) };
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
  };
}
