import type { BatchRef } from '../../domain/records/batch';
import { KeepapartError, isKeepapartError } from '../../domain/errors';
import {
  OUTCOME,
  outcomeFileContent,
  type OutcomeFormat,
  type SettledRecord,
} from '../../domain/records/outcome';
import type { KeptRecord } from '../../domain/records/record';
import type { RecordStore } from '../../domain/records/record-store';
import { alreadyClosed, idsOf, stagedRecordMissing } from '../batch-errors';
import { batchName, createBatchFiles } from '../batch-files';
import { explaining } from '../explaining';
import type { StoreFolders } from '../folders';
import { createBatchRows, rowOf, settledOf, type OutcomeRow } from './batch-rows';
import { ownUpsert, runStatement, type BulkStatement, type NamedBatch } from './bulk-statement';
import { createDatabase, type DatabaseOptions, type Run } from './database';
import { describePostgresError, isAway, isRefusalAtClosing } from './postgres-errors';
import { rehearse, tryStatement } from './rehearsal';
import { createTables, tablesIn } from './schema';

export interface PostgresStoreOptions extends DatabaseOptions, Pick<StoreFolders, 'outDir'> {
  /** Schema of our own tables: lower-case letters, digits and underscores. */
  schema: string;
  /** The statement that writes a batch, with its records as a JSON array in `$1`; empty for our own upsert. */
  statement: string;
  /** JSON Pointer to the value that identifies the row of a record. */
  keyPointer: string;
  /** Where Postgres is, for messages: without user and password. */
  where: string;
}

export interface PostgresStore extends RecordStore {
  /** Whether commits survive a power cut, according to the server's settings. */
  readonly durable: boolean;
  /** Closes the connections, when no call is running any more. */
  close(): Promise<void>;
}

/**
 * A record store in Postgres. `save` stages the record, after a rehearsal of the batch's statement with it. `closeBatch` runs
 * the statement once for all saved records, writes the outcomes and removes the staged records, in one transaction; then it
 * publishes the batch's file from the committed outcomes. Any number of workers on any hosts may share it.
 *
 * Why it is safe: calls lock the batch's row, so they are serialized, including those of workers that were presumed dead, and
 * whoever comes after the closing finds it closed. The transaction decides and the file follows, so after a kill in between,
 * the next attempt completes it with the same bytes.
 * @throws `postgres-unusable` (not retried) if it can't be reached or the statement is invalid
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const tables = tablesIn(options.schema);
  const statement: BulkStatement = {
    sql: options.statement || ownUpsert(tables),
    keyPointer: options.keyPointer,
    needsKey: options.statement === '',
  };
  const rows = createBatchRows(tables);
  const files = createBatchFiles(options);
  const database = createDatabase(options);
  const named = (batch: BatchRef): NamedBatch => ({ ...batch, name: batchName(batch) });

  async function prepare(): Promise<boolean> {
    // At the start, don't wait for Postgres: whoever starts the process should know at once that it's unavailable.
    await createTables(database, options.schema, 0);
    return database.transaction(async (run) => {
      const error = await tryStatement(run, statement, { name: '', batchId: '', openedAtMs: 0 }, []);
      if (error !== undefined) throw new Error(`POSTGRES_STATEMENT: ${describePostgresError(error)}`);
      const [setting] = await run<{ fsync: string }>('SHOW fsync');
      return setting?.fsync !== 'off';
    }, 0);
  }

  async function outcomesOf(run: Run, { name }: NamedBatch): Promise<OutcomeRow[]> {
    return (await rows.outcomes(run, [name])).get(name) ?? [];
  }

  async function saveBatch(
    records: readonly KeptRecord[],
    ref: BatchRef,
  ): Promise<PromiseSettledResult<void>[]> {
    const batch = named(ref);
    const refusals = await inPostgres('save-failed', couldNotSave(records), () =>
      database.transaction(async (run) => {
        if ((await rows.open(run, batch)).closed) throw alreadyClosed(batch, records);
        const staged = await rows.staged(run, batch);
        const ids = new Set(staged.map(({ recordId }) => recordId));
        // An earlier attempt got as far as staging, and so passed its rehearsal.
        const unstaged = records.filter(({ recordId }) => !ids.has(recordId));
        const found = await rehearse(run, statement, batch, staged, unstaged);
        await rows.stage(
          run,
          batch,
          unstaged.filter((_, index) => found[index] === undefined),
        );
        return new Map(unstaged.map(({ recordId }, index) => [recordId, found[index]]));
      }),
    );
    return Promise.allSettled(
      records.map((record) =>
        inPostgres('save-failed', couldNotSave([record]), () => {
          const refusal = refusals.get(record.recordId);
          return refusal === undefined ? Promise.resolve() : Promise.reject(refusal);
        }),
      ),
    );
  }

  async function closeOnce(run: Run, batch: NamedBatch, records: SettledRecord[], format: OutcomeFormat) {
    const before = await rows.open(run, batch);
    if (before.closed) {
      const [there, told] = [await outcomesOf(run, batch), records.map(rowOf)];
      if (before.format === format && JSON.stringify(there) === JSON.stringify(told)) return;
      throw closedOtherwise(batch);
    }
    const saved = records.filter(({ outcome }) => outcome === OUTCOME.saved);
    const staged = new Set((await rows.staged(run, batch)).map(({ recordId }) => recordId));
    const missing = saved.filter(({ recordId }) => !staged.has(recordId));
    if (missing.length > 0) {
      const where = `Postgres (${options.where}); all workers must have the same STORE and POSTGRES_URL`;
      throw stagedRecordMissing(batch, missing, where);
    }
    if (saved.length > 0) await runStatement(run, statement, batch, saved);
    await rows.close(run, batch, records, format);
    await rows.unstage(run, batch);
  }

  const durable = await prepare().catch(async (error: unknown) => {
    await database.close();
    const detail = isKeepapartError(error) ? error.message : describePostgresError(error);
    throw new KeepapartError('postgres-unusable', `Postgres (${options.where}): ${detail}`, { cause: error });
  });

  return {
    durable,
    close: () => database.close(),

    save: async (record, ref) => {
      const [result] = await saveBatch([record], ref);
      if (result?.status === 'rejected') throw result.reason;
    },

    saveAll: (batches) =>
      Promise.all(
        batches.map(({ batch, records }) =>
          saveBatch(records, batch).catch((reason: unknown) =>
            records.map(() => ({ status: 'rejected', reason }) as const),
          ),
        ),
      ),

    rollbackAll: (batches) =>
      Promise.all(
        batches.map(async ({ batch, records }) => {
          const undoing = inPostgres(
            'store-failed',
            `what is staged of ${batch.batchId} could not be removed`,
            () =>
              database.transaction(async (run) => {
                for (const record of records) await rows.unstage(run, named(batch), record);
              }),
          );
          const [result] = await Promise.allSettled([undoing]);
          return records.map(() => result);
        }),
      ),

    rollback: async (record, ref) => {
      const batch = named(ref);
      // Nothing is staged for a closed batch, so this doesn't affect what is published.
      await inPostgres('store-failed', `what is staged of ${record.recordId} could not be removed`, () =>
        database.transaction((run) => rows.unstage(run, batch, record)),
      );
    },

    closeBatch: async (ref, records, format) => {
      const batch = named(ref);
      const settled = records.map(withPlainErrors);
      await inPostgres('store-failed', `batch ${ref.batchId} could not be closed`, async () => {
        try {
          await database.transaction((run) => closeOnce(run, batch, settled, format));
        } catch (cause) {
          // If no record is saved, none of them can have been refused.
          const isOfRecords = settled.some(({ outcome }) => outcome === OUTCOME.saved);
          if (!isOfRecords || !isRefusalAtClosing(cause)) throw cause;
          throw new KeepapartError('batch-rejected', describePostgresError(cause), { cause });
        }
      });
      const location = `${batch.name}.log`;
      return explaining('store-failed', `OUT_DIR/${location} could not be written`, async () => {
        const content = Buffer.from(outcomeFileContent(settled, format));
        if (!(await files.holds(batch, content))) await files.publish(batch, content);
        await files.sync();
        // What can't be removed now must not keep the batch open; `sweep` removes it later.
        await files.clear([batch]).catch(() => undefined);
        return { location };
      });
    },

    readBatch: async (whole) => {
      const batch = named(whole);
      return inPostgres('store-failed', `batch ${whole.batchId} could not be read`, () =>
        database.transaction(async (run) => {
          if (!(await rows.lock(run, batch))?.closed) return undefined;
          const records = (await outcomesOf(run, batch)).map(settledOf);
          if (!sameIds(records, whole.records)) throw closedOtherwise(batch);
          return { location: `${batch.name}.log`, records };
        }),
      );
    },
  };
}

function inPostgres<T>(
  code: 'save-failed' | 'store-failed',
  what: string,
  action: () => Promise<T>,
): Promise<T> {
  return explaining(code, `Postgres: ${what}`, action, { describe: describePostgresError, isAway });
}

/** Error texts can contain anything, but Postgres has no text with NUL, and UTF-8 has no half surrogate pair. */
function withPlainErrors(record: SettledRecord): SettledRecord {
  const plain = (text: string): string => Buffer.from(text).toString().replaceAll('\0', '\ufffd');
  const { error, rollbackError } = record;
  return {
    ...record,
    ...(error !== undefined && { error: plain(error) }),
    ...(rollbackError !== undefined && { rollbackError: plain(rollbackError) }),
  };
}

function closedOtherwise({ batchId }: BatchRef): KeepapartError {
  return new KeepapartError(
    'batch-file-conflict',
    `batch ${batchId} is already closed in Postgres, with other outcomes; they are left unchanged`,
  );
}

function sameIds(some: readonly KeptRecord[], others: readonly KeptRecord[]): boolean {
  return (
    some.length === others.length && some.every(({ recordId }, index) => recordId === others[index]?.recordId)
  );
}

function couldNotSave(records: readonly KeptRecord[]): string {
  return `${records.length === 1 ? idsOf(records) : `${records.length} records`} could not be saved`;
}
