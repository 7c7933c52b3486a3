import { rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { createSharedSync, writeDurably } from '../../../src/store/durable-fs';
import { fails, type BenchOutcome, type BenchRecord, type Work } from './work';

/**
 * The record store of the contenders: the durable half of keepapart's, without what that needs for zombies, several
 * hosts and broken disks. A record is a staged file, a batch a file that is renamed into place; both are synced, and so
 * are the folders, with company where several wait.
 */
export interface PlainStore {
  /**
   * Saves a record durably. @returns which attempt it was that succeeded, as counted here
   * @throws Error for attempts that have to fail
   */
  save(record: BenchRecord): Promise<number>;
  /** Writes the batch's file at once and durably, and clears what was staged. */
  close(batchId: string, outcomes: readonly BenchOutcome[]): Promise<void>;
}

export function createPlainStore({ outDir, stagingDir, failureRate }: Work): PlainStore {
  const sync = createSharedSync();
  const attempted = new Map<number, number>();
  const saved = new Map<number, number>();
  const staged = ({ id }: BenchRecord) => path.join(stagingDir, `${id}.json`);

  return {
    async save(record) {
      const before = saved.get(record.id);
      const attempt = before ?? (attempted.get(record.id) ?? 0) + 1;
      if (failureRate > 0 && before === undefined) {
        attempted.set(record.id, attempt);
        if (fails(record.id, attempt, failureRate)) throw new Error('failed on purpose');
      }
      await writeDurably(staged(record), Buffer.from(JSON.stringify(record)), 'w');
      await sync(stagingDir);
      if (failureRate > 0) saved.set(record.id, attempt);
      return attempt;
    },

    async close(batchId, outcomes) {
      const temporary = path.join(stagingDir, `${batchId}.tmp`);
      const lines = outcomes.map((outcome) => `${JSON.stringify(outcome)}\n`).join('');
      await writeDurably(temporary, Buffer.from(lines), 'w');
      await rename(temporary, path.join(outDir, `${batchId}.log`));
      await sync(outDir);
      const kept = outcomes.filter(({ outcome }) => outcome === 'saved');
      await Promise.allSettled(kept.map(({ value }) => unlink(staged(value))));
    },
  };
}
