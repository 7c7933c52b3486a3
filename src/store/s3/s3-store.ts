import type { BatchRef } from '../../domain/records/batch';
import { HOUR } from '../../domain/duration';
import { isKeepapartError, KeepapartError } from '../../domain/errors';
import {
  OUTCOME,
  outcomeFileContent,
  outcomeFromLine,
  type SettledRecord,
} from '../../domain/records/outcome';
import type { KeptRecord } from '../../domain/records/record';
import type { RecordStore } from '../../domain/records/record-store';
import { batchName, createBatchFiles } from '../batch-files';
import { explaining } from '../explaining';
import { alreadyClosed, stagedRecordMissing } from '../batch-errors';
import type { StoreFolders } from '../folders';
import { closedOtherwise, createBatchObjects, type Compression } from './batch-objects';
import { createBucket, type Bucket, type BucketOptions } from './bucket';
import { describeS3Error, isAway } from './s3-errors';
import { batchNameIn, createS3Staging, notIn, STAGING } from './s3-staging';

export interface S3StoreOptions extends BucketOptions, Pick<StoreFolders, 'outDir'> {
  compression: Compression;
  /** Where the objects are, for messages. */
  where: string;
}

export interface S3Store extends RecordStore {
  /**
   * Removes what late workers have staged for batches that were closed by then; gives how many objects. What is younger
   * than an hour stays, as does everything of open batches.
   */
  sweep(nowMs?: number): Promise<number>;
  /** Ends the connections. */
  close(): Promise<void>;
}

/** Of the keys and contents below the prefix; a later version of keepapart may change them, and then counts on. */
const VERSION = 1;

const STAGED_FOR_MS = 1 * HOUR;

/**
 * A record store in S3, or in what speaks its protocol. `save` writes the records of a batch to its staging; `closeBatch`
 * writes one object with all outcomes and their records, on condition that there is none yet, then the batch's file from
 * the same outcomes, and clears the staging. Any number of workers on any hosts may share the bucket. With a batch saved
 * by one call, it is five requests: PUT and HEAD, LIST, PUT and DELETE.
 *
 * What makes it safe: the conditional write (`If-None-Match: *`) decides which outcomes a batch has, and everything else
 * follows it. A save looks for that object after it has staged, so it is refused once the batch is closed. The outcomes
 * that are published come from whoever closes the batch, and the staging only proves that they were saved: so nothing
 * that comes late and changes it, in whichever order, changes what is or will be published.
 * @throws `store-unusable` (the operator's to mend) when the bucket can't be reached, written or listed, when the prefix
 *   is another store's, or when the server doesn't know conditional writes
 */
export async function openS3Store(options: S3StoreOptions): Promise<S3Store> {
  const bucket = createBucket(options);
  const objects = createBatchObjects(bucket, options.compression);
  const staging = createS3Staging(bucket);
  const files = createBatchFiles(options);

  await prepare(bucket, options).catch((error: unknown) => {
    bucket.close();
    throw unusable(options, error);
  });

  async function saveBatch(records: readonly KeptRecord[], batch: BatchRef): Promise<void> {
    await inS3(
      'save-failed',
      `${records.length} records of ${batch.batchId} could not be saved`,
      async () => {
        const keys = await staging.put(batch, records);
        // Looked for after the writing: before it, the batch could still be closed in between.
        if (!(await objects.exists(batchName(batch)))) return;
        await staging.remove(keys);
        throw alreadyClosed(batch, records);
      },
    );
  }

  async function rollBack(records: readonly KeptRecord[], batch: BatchRef): Promise<void> {
    await inS3('store-failed', `what is staged of ${batch.batchId} could not be removed`, async () => {
      const written = await staging.take(batch, records);
      // If the batch was closed meanwhile, its staging was cleared before this was written.
      if (written.length > 0 && (await objects.exists(batchName(batch)))) await staging.remove(written);
    });
  }

  async function closeOnce(batch: BatchRef, records: readonly SettledRecord[]): Promise<void> {
    const content = outcomeFileContent(records, 'json');
    const staged = await staging.list(batch);
    const missing = notIn(
      staged,
      records.filter(({ outcome }) => outcome === OUTCOME.saved),
    );
    if (missing.length === 0) await objects.publish(batch, content);
    // In this order: the staging is cleared after the batch is closed, so what is missing now isn't if it is.
    else if (!(await objects.holds(batch, content))) {
      const where = `S3 (${options.where}); all workers must have the same S3_BUCKET, S3_PREFIX and S3_ENDPOINT`;
      throw stagedRecordMissing(batch, missing, where);
    }
    // It is closed: what can't be cleared now must not hold it open, and `sweep` gets it later.
    await staging.remove(staged.map(({ key }) => key)).catch(() => undefined);
  }

  const results =
    (
      call: (records: readonly KeptRecord[], batch: BatchRef) => Promise<void>,
    ): NonNullable<RecordStore['saveAll']> =>
    async (batches) =>
      Promise.all(
        batches.map(async ({ batch, records }) => {
          const [result] = await Promise.allSettled([call(records, batch)]);
          return records.map(() => result);
        }),
      );

  return {
    boundsItsCalls: true,
    save: (record, batch) => saveBatch([record], batch),
    saveAll: results(saveBatch),
    rollback: (record, batch) => rollBack([record], batch),
    rollbackAll: results(rollBack),

    closeBatch: async (batch, records, format) => {
      await inS3('store-failed', `batch ${batch.batchId} could not be closed`, () =>
        closeOnce(batch, records),
      );
      const location = `${batchName(batch)}.log`;
      return explaining('store-failed', `OUT_DIR/${location} could not be written`, async () => {
        const content = Buffer.from(outcomeFileContent(records, format));
        if (!(await files.holds(batch, content))) await files.publish(batch, content);
        await files.sync();
        await files.clear([batch]).catch(() => undefined);
        return { location };
      });
    },

    readBatch: (batch) =>
      inS3('store-failed', `batch ${batch.batchId} could not be read`, async () => {
        const content = await objects.read(batch);
        if (content === undefined) return undefined;
        const lines = content.split('\n').slice(0, -1);
        const records = batch.records.flatMap((record, i) => outcomeFromLine(record, lines[i] ?? '') ?? []);
        if (records.length !== lines.length || lines.length !== batch.records.length)
          throw closedOtherwise(batch);
        return { location: `${batchName(batch)}.log`, records };
      }),

    sweep: (nowMs = Date.now()) =>
      inS3('store-failed', 'the staging could not be swept', async () => {
        const closed = new Map<string, boolean>();
        let removed = 0;
        for await (const { key, modifiedAtMs } of bucket.list(STAGING)) {
          const name = batchNameIn(key);
          if (name === undefined || nowMs - modifiedAtMs < STAGED_FOR_MS) continue;
          if (!closed.has(name)) closed.set(name, await objects.exists(name));
          if (closed.get(name) !== true) continue;
          await bucket.remove(key);
          removed++;
        }
        return removed;
      }),

    close: () => {
      bucket.close();
      return Promise.resolve();
    },
  };
}

/**
 * Finds out at the start what would else fail for every batch: each right that is needed, and whether the server keeps the
 * condition on which all rests. The object that it leaves says how the prefix is used, as two ways of compression would
 * have two keys for one batch.
 */
async function prepare(bucket: Bucket, { compression }: S3StoreOptions): Promise<void> {
  const key = 'keepapart.json';
  const wanted = `${JSON.stringify({ version: VERSION, compression })}\n`;
  const create = (): Promise<boolean> => bucket.create(key, Buffer.from(wanted), 'application/json');
  if ((await create()) && (await create()))
    throw new KeepapartError(
      'store-unusable',
      'the server ignores If-None-Match, so a batch could be closed twice',
    );
  const found = Buffer.from((await bucket.read(key)) ?? '').toString();
  if (found !== wanted)
    throw new KeepapartError(
      'store-unusable',
      `the prefix is used with ${found.trim()} and can't be with ${wanted.trim()}; set another S3_PREFIX`,
    );
  await bucket.list(`${STAGING}probe/`).next();
  await bucket.remove(`${STAGING}probe/probe`);
}

function unusable({ where }: S3StoreOptions, cause: unknown): KeepapartError {
  const detail = isKeepapartError(cause) ? cause.message : describeS3Error(cause);
  return new KeepapartError('store-unusable', `S3 (${where}): ${detail}`, { cause });
}

function inS3<T>(code: 'save-failed' | 'store-failed', what: string, action: () => Promise<T>): Promise<T> {
  return explaining(code, `S3: ${what}`, action, { describe: describeS3Error, isAway });
}
