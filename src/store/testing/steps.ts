import type { Batch } from '../../domain/records/batch';
import { isKeepapartError } from '../../domain/errors';
import { OUTCOME, type SettledRecord } from '../../domain/records/outcome';
import type { KeptRecord } from '../../domain/records/record';
import type { RecordStore } from '../../domain/records/record-store';
import type { Settlement } from './subject';

/** When the outcomes of tests are known: the same in every process. */
const AT_MS = Date.UTC(2026, 0, 31, 23, 59, 58);

/** How often settling is repeated; Temporal would never stop. */
const SETTLING_ATTEMPTS = 5;

export function saved(record: KeptRecord): SettledRecord {
  return { ...record, outcome: OUTCOME.saved, attempts: 1, atMs: AT_MS };
}

export function rolledBack(record: KeptRecord): SettledRecord {
  return {
    ...record,
    outcome: OUTCOME.rolledBack,
    attempts: 3,
    error: 'the contract test says so',
    atMs: AT_MS,
  };
}

/** Saves, rollbacks and the closing of a batch, in the order of its workflow. */
export function stepsOf(
  store: RecordStore,
  { batch, records, format }: Settlement,
): (() => Promise<unknown>)[] {
  const plain = records.map(({ recordId, value }): KeptRecord => ({ recordId, value }));
  const exhausted = plain.filter((_, i) => records[i]?.outcome === OUTCOME.rolledBack);
  return [
    ...plain.map((record) => () => store.save(record, batch)),
    ...exhausted.map((record) => () => store.rollback(record, batch)),
    () => store.closeBatch(batch, records, format),
  ];
}

/** Runs the steps from this one on. */
export async function brings(store: RecordStore, settlement: Settlement, from: number): Promise<void> {
  for (const run of stepsOf(store, settlement).slice(from)) await run();
}

/** Settles a batch whose workflow was terminated: published outcomes stay, or else everything is rolled back. */
export async function settle(store: RecordStore, batch: Batch): Promise<SettledRecord[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const published = await store.readBatch(batch);
      const records = published?.records ?? batch.records.map(rolledBack);
      if (published === undefined) for (const record of batch.records) await store.rollback(record, batch);
      await store.closeBatch(batch, records, 'json');
      return records;
    } catch (error) {
      if (attempt === SETTLING_ATTEMPTS || !isKeepapartError(error)) throw error;
    }
  }
}
