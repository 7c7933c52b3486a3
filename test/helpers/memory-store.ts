import type { BatchRef } from '../../src/domain/records/batch';
import { KeepapartError } from '../../src/domain/errors';
import {
  OUTCOME,
  batchFileName,
  outcomeFileContent,
  type SettledRecord,
} from '../../src/domain/records/outcome';
import type { KeptRecord } from '../../src/domain/records/record';
import type { RecordStore, RecordsOfBatch } from '../../src/domain/records/record-store';

/** A store for workflow tests: keeps everything in memory, counts calls, and fails or waits where a test says so. */
export interface MemoryStore extends RecordStore {
  /** Closed batches by file name, in order of closing. */
  readonly files: Map<string, SettledRecord[]>;
  /** Ids of the records that are saved, or partly, and whose batch isn't closed. */
  readonly staged: Set<string>;
  readonly saves: { recordId: string; batchId: string }[];
  /** Ids of the records that were to be rolled back, once for each attempt. */
  readonly rollbacks: string[];
  /** Every call that closed a batch, in order. */
  readonly closed: BatchRef[];
  /** Called before each save with the number of this attempt; what it throws is the store's failure. */
  beforeSave: (record: KeptRecord, attempt: number) => Promise<void> | void;
  /** Likewise, when the record is there already. */
  afterSave: (record: KeptRecord, attempt: number) => Promise<void> | void;
  beforeRollback: (record: KeptRecord) => Promise<void> | void;
  beforeClose: (batch: BatchRef) => Promise<void> | void;
  /** Called when the batch's file is there already. */
  afterClose: (batch: BatchRef) => Promise<void> | void;
  /** All outcomes so far. */
  outcomes(): SettledRecord[];
}

export function createMemoryStore(): MemoryStore {
  const attempts = new Map<string, number>();
  const store: MemoryStore = {
    files: new Map(),
    staged: new Set(),
    saves: [],
    rollbacks: [],
    closed: [],
    beforeSave: () => undefined,
    afterSave: () => undefined,
    beforeRollback: () => undefined,
    beforeClose: () => undefined,
    afterClose: () => undefined,
    outcomes: () => [...store.files.values()].flat(),
    async save(record, batch) {
      const attempt = (attempts.get(record.recordId) ?? 0) + 1;
      attempts.set(record.recordId, attempt);
      store.saves.push({ recordId: record.recordId, batchId: batch.batchId });
      await store.beforeSave(record, attempt);
      if (store.files.has(batchFileName(batch))) throw new KeepapartError('batch-already-closed', 'too late');
      store.staged.add(record.recordId);
      await store.afterSave(record, attempt);
    },
    async rollback(record) {
      store.rollbacks.push(record.recordId);
      await store.beforeRollback(record);
      store.staged.delete(record.recordId);
    },
    async closeBatch(batch, records, format) {
      await store.beforeClose(batch);
      store.closed.push(batch);
      const location = batchFileName(batch);
      const before = store.files.get(location);
      if (before && outcomeFileContent(before, format) !== outcomeFileContent(records, format)) {
        throw new KeepapartError('batch-file-conflict', `${location} was closed before with other outcomes`);
      }
      store.files.set(location, [...records]);
      for (const { recordId } of records) store.staged.delete(recordId);
      await store.afterClose(batch);
      return { location };
    },
    async readBatch(batch) {
      const location = batchFileName(batch);
      const records = store.files.get(location);
      return Promise.resolve(records && { location, records });
    },
  };
  return store;
}

/** The values that were saved, sorted as text. */
export function savedValues(store: MemoryStore): unknown[] {
  return store
    .outcomes()
    .filter(({ outcome }) => outcome === OUTCOME.saved)
    .map(({ value }) => value)
    .sort();
}

/** The calls for several batches at once. */
export type CallForMany = 'saveAll' | 'rollbackAll' | 'closeBatches';

/**
 * The same store with calls for several batches at once, as a database has them.
 * @param before called with the number of such a call, from 1; what it throws is the failure of the whole call
 */
export function withCallsForMany(
  store: MemoryStore,
  before: (call: CallForMany, number: number) => void = () => undefined,
): RecordStore {
  const calls: Record<CallForMany, number> = { saveAll: 0, rollbackAll: 0, closeBatches: 0 };
  const of = (batches: readonly RecordsOfBatch[], one: RecordStore['save']) =>
    Promise.all(
      batches.map(({ batch, records }) =>
        Promise.allSettled(records.map(async (record) => one(record, batch))),
      ),
    );
  return {
    ...store,
    async saveAll(batches) {
      before('saveAll', ++calls.saveAll);
      return of(batches, store.save);
    },
    async rollbackAll(batches) {
      before('rollbackAll', ++calls.rollbackAll);
      return of(batches, store.rollback);
    },
    async closeBatches(batches, format) {
      before('closeBatches', ++calls.closeBatches);
      return Promise.allSettled(
        batches.map(async ({ batch, records }) => store.closeBatch(batch, records, format)),
      );
    },
  };
}
