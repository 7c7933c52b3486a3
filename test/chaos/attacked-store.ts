import { setTimeout as sleep } from 'node:timers/promises';
import { KeepapartError, isKeepapartError } from '../../src/domain/errors';
import type { JsonValue } from '../../src/domain/json';
import {
  closeTogether,
  rollBackTogether,
  saveTogether,
  type RecordStore,
} from '../../src/domain/records/record-store';
import { interceptFs } from '../helpers/intercept-fs';
import type { Hanging } from './points';

/** A record that no attempt can save. */
export function isDoomed(value: JsonValue): boolean {
  return hasKey(value, 'doomed');
}

/** How long each attempt to save this record takes. */
function slownessMs(value: JsonValue): number {
  return hasKey(value, 'slowMs') ? (value as { slowMs: number }).slowMs : 0;
}

function hasKey(value: JsonValue, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}

/**
 * A store that is slow or fails by value, and hangs where the harness says.
 * @param ended told how a save ended that had hung
 */
export function createAttackedStore(
  inner: RecordStore,
  hanging: Hanging,
  ended: (how: string) => void,
): RecordStore {
  return {
    ...(inner.boundsItsCalls !== undefined && { boundsItsCalls: inner.boundsItsCalls }),
    async save(record, batch, attempt) {
      const hung = await hanging.pass('before a save', batch.batchId);
      try {
        await sleep(slownessMs(record.value));
        if (isDoomed(record.value)) throw doomed();
        await inner.save(record, batch, attempt);
        if (hung) ended('ok');
      } catch (error) {
        if (hung) ended(howItFailed(error));
        throw error;
      }
      await hanging.pass('after a save');
    },
    ...(inner.saveAll !== undefined && {
      async saveAll(batches, attempt) {
        const hung = await hanging.pass('before a save', batches[0]?.batch.batchId);
        const records = batches.flatMap((one) => one.records);
        await sleep(Math.max(...records.map(({ value }) => slownessMs(value))));
        const healthy = batches.map(({ batch, records: all }) => ({
          batch,
          records: all.filter(({ value }) => !isDoomed(value)),
        }));
        const saving = healthy.filter((one) => one.records.length > 0);
        const saved = (await saveTogether(inner, saving, attempt)).flat();
        const failed = saved.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
        if (hung) ended(failed === undefined ? 'ok' : howItFailed(failed.reason));
        await hanging.pass('after a save');
        return batches.map(({ records: all }) =>
          all.map(({ value }) =>
            isDoomed(value) ? { status: 'rejected', reason: doomed() } : saved.shift()!,
          ),
        );
      },
    }),
    rollback: (record, batch) => inner.rollback(record, batch),
    rollbackAll: (batches) => rollBackTogether(inner, batches),
    async closeBatch(batch, records, format) {
      await hanging.pass('before closing');
      const closed = await inner.closeBatch(batch, records, format);
      await hanging.pass('after closing');
      return closed;
    },
    async closeBatches(batches, format) {
      await hanging.pass('before closing');
      const closed = await closeTogether(inner, batches, format);
      await hanging.pass('after closing');
      return closed;
    },
    readBatch: (batch) => inner.readBatch(batch),
  };
}

function doomed(): KeepapartError {
  return new KeepapartError('save-failed', 'this record fails for ever');
}

function howItFailed(error: unknown): string {
  return isKeepapartError(error) ? error.code : String(error);
}

/** The points inside the file store's publishing: the link that makes the file appear, and the removal that follows it. */
export function hangWhilePublishing(hanging: Hanging): void {
  interceptFs(async ({ name }) => {
    if (name === 'link') await hanging.pass('before publishing');
    if (name === 'rm') await hanging.pass('after publishing');
  });
}
