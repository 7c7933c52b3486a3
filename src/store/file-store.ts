import type { BatchRef } from '../domain/records/batch';
import { OUTCOME, outcomeFileContent, outcomeFromLine, type OutcomeFormat } from '../domain/records/outcome';
import type { KeptRecord } from '../domain/records/record';
import type { ClosedBatch, RecordStore, SettledBatch } from '../domain/records/record-store';
import { batchName, createBatchFiles, foreignFile } from './batch-files';
import { alreadyClosed, stagedRecordMissing } from './batch-errors';
import { explaining } from './explaining';
import type { StoreFolders } from './folders';
import { createStaging, stagedPath } from './staging';

/** The file store, with what a store that keeps records elsewhere needs of it. */
export interface FileStore extends RecordStore {
  /** The records that are not staged: not saved, or rolled back, or in a closed batch. */
  notStaged(records: readonly KeptRecord[], batch: BatchRef): Promise<readonly KeptRecord[]>;
  /** The lines of the batch's file; undefined if the batch isn't closed. */
  publishedLines(batch: BatchRef): Promise<string[] | undefined>;
}

export interface FileStoreHooks {
  /**
   * Called when a batch is published and its staged records are not removed yet. If it throws, closing fails and is retried.
   */
  onPublished?: (settled: SettledBatch) => Promise<void>;
}

/**
 * The default record store: files. `save` writes the record into the batch's staging folder in `DATA_DIR`, and `closeBatch`
 * publishes the batch's file in `OUT_DIR` and removes the staged records. Any number of workers may share the folders; call
 * `prepareFolders` before.
 *
 * A record is durable when its `save` resolves; a rollback and a batch file likewise. The order in `closeBatch` makes a kill
 * at any point harmless: write the file, sync, and only then remove staged records.
 *
 * Disk problems (full, read-only, missing) are `store-away` (waited for), all others `save-failed` or `store-failed`
 * (retried). This store never throws `record-rejected`, because it can store any value.
 */
export function createFileStore(folders: StoreFolders, { onPublished }: FileStoreHooks = {}): FileStore {
  const files = createBatchFiles(folders);
  const staging = createStaging(folders, files.existsDurably);

  /** Resolves when the file exists; it is durable after the next sync of the folder. */
  async function publish({ batch, records }: SettledBatch, format: OutcomeFormat): Promise<ClosedBatch> {
    const location = locationOf(batch);
    return explaining('store-failed', `OUT_DIR/${location} could not be written`, async () => {
      const content = Buffer.from(outcomeFileContent(records, format));
      // In this order: staged records are removed after the file exists, so if records are missing, there may be a file.
      const saved = records.filter(({ outcome }) => outcome === OUTCOME.saved);
      const missing = await staging.missing(saved, batch);
      if (missing.length === 0) await files.publish(batch, content);
      else if (!(await files.holds(batch, content))) {
        const where = `DATA_DIR/staging/${batchName(batch)}; workers on several hosts must share DATA_DIR`;
        throw stagedRecordMissing(batch, missing, where);
      }
      return { location };
    });
  }

  async function publishedLines(batch: BatchRef): Promise<string[] | undefined> {
    return (await files.read(batch))?.toString().split('\n').slice(0, -1);
  }

  async function closeBatches(
    batches: readonly SettledBatch[],
    format: OutcomeFormat,
  ): Promise<PromiseSettledResult<ClosedBatch>[]> {
    let results = await Promise.allSettled(batches.map((settled) => publish(settled, format)));
    if (results.every(({ status }) => status === 'rejected')) return results;
    try {
      await explaining('store-failed', 'OUT_DIR could not be synced', () => files.sync());
    } catch (reason) {
      return results.map((result) =>
        result.status === 'fulfilled' ? { status: 'rejected', reason } : result,
      );
    }
    if (onPublished !== undefined) {
      const published = results;
      results = await Promise.allSettled(
        batches.map(async (settled, i) => {
          const result = published[i];
          if (result?.status !== 'fulfilled') throw result?.reason;
          await onPublished(settled);
          return result.value;
        }),
      );
    }
    const closed = batches.flatMap(({ batch }, i) => (results[i]?.status === 'fulfilled' ? [batch] : []));
    // They are closed. What can't be removed now must not keep them open; `sweep` removes it later.
    await Promise.allSettled([staging.clear(closed), files.clear(closed)]);
    return results;
  }

  return {
    save: async (record, batch) =>
      explaining('save-failed', `DATA_DIR/${stagedPath(record, batch)} could not be written`, async () => {
        await staging.put(record, batch);
        // Checked after writing, because the batch could be closed between a check and the writing.
        if (!(await files.exists(batchName(batch)))) return;
        await staging.withdraw(record, batch);
        throw alreadyClosed(batch, [record]);
      }),

    saveAll: async (batches) => {
      const count = batches.reduce((sum, { records }) => sum + records.length, 0);
      const what = `${count} records of ${batches.length} batches`;
      const closed = await explaining(
        'save-failed',
        `${what} could not be written to DATA_DIR/staging`,
        async () => {
          await staging.putAll(batches);
          const checked = await Promise.all(
            batches.map(async ({ batch }) => ((await files.exists(batchName(batch))) ? [batch] : [])),
          );
          const late = checked.flat();
          if (late.length > 0) await staging.withdrawAll(late);
          return new Set(late);
        },
      );
      return batches.map(({ batch, records }) =>
        records.map((record) =>
          closed.has(batch)
            ? { status: 'rejected', reason: alreadyClosed(batch, [record]) }
            : { status: 'fulfilled', value: undefined },
        ),
      );
    },

    rollback: async (record, batch) =>
      explaining('store-failed', `DATA_DIR/${stagedPath(record, batch)} could not be removed`, () =>
        staging.removeAll([{ batch, records: [record] }]),
      ),

    rollbackAll: async (batches) => {
      const count = batches.reduce((sum, { records }) => sum + records.length, 0);
      await explaining('store-failed', `${count} records could not be removed from DATA_DIR/staging`, () =>
        staging.removeAll(batches),
      );
      return batches.map(({ records }) => records.map(() => ({ status: 'fulfilled', value: undefined })));
    },

    closeBatch: async (batch, records, format) => {
      const [result] = await closeBatches([{ batch, records }], format);
      if (result?.status !== 'fulfilled') throw result?.reason;
      return result.value;
    },

    closeBatches,

    readBatch: async (batch) => {
      const location = locationOf(batch);
      return explaining('store-failed', `OUT_DIR/${location} could not be read`, async () => {
        const lines = await publishedLines(batch);
        if (lines === undefined) return undefined;
        const records = batch.records.flatMap((record, i) => outcomeFromLine(record, lines[i] ?? '') ?? []);
        if (records.length !== lines.length || lines.length !== batch.records.length)
          throw foreignFile(batch);
        return { location, records };
      });
    },

    notStaged: (records, batch) =>
      explaining('store-failed', 'DATA_DIR/staging could not be read', () => staging.missing(records, batch)),

    publishedLines: (batch) =>
      explaining('store-failed', `OUT_DIR/${locationOf(batch)} could not be read`, () =>
        publishedLines(batch),
      ),
  };
}

/** Name of the batch's file. */
function locationOf(batch: BatchRef): string {
  return `${batchName(batch)}.log`;
}
