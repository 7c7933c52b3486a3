import { appendFileSync } from 'node:fs';
import type { ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';
import {
  closeTogether,
  rollBackTogether,
  saveTogether,
  type RecordStore,
} from '../../src/domain/records/record-store';
import { tooClose, type Stay } from '../helpers/stays';
import { readLines } from './json-lines';

/** A line of the log: a save of a record begins, or a batch has its file. By the machine's clock, which nobody shifts. */
type StayLine = { atMs: number; batchId: string } & ({ begins: JsonValue } | { closed: true });

/**
 * Notes in a file when which records are with a store, whatever becomes of the process: from the first save of each to
 * the moment in which its batch has its file, before anybody is told of that.
 */
export function noteStays(inner: RecordStore, file: string): RecordStore {
  const note = (lines: readonly StayLine[]) =>
    appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const atMs = () => Number(process.hrtime.bigint()) / 1e6;
  return {
    save(record, batch, attempt) {
      note([{ atMs: atMs(), batchId: batch.batchId, begins: record.value }]);
      return inner.save(record, batch, attempt);
    },
    ...(inner.saveAll !== undefined && {
      saveAll(batches, attempt) {
        const begun = batches.flatMap(({ batch, records }) =>
          records.map(({ value }) => ({ atMs: atMs(), batchId: batch.batchId, begins: value })),
        );
        note(begun);
        return saveTogether(inner, batches, attempt);
      },
    }),
    rollback: (record, batch) => inner.rollback(record, batch),
    rollbackAll: (batches) => rollBackTogether(inner, batches),
    async closeBatch(batch, records, format) {
      const closed = await inner.closeBatch(batch, records, format);
      note([{ atMs: atMs(), batchId: batch.batchId, closed: true }]);
      return closed;
    },
    async closeBatches(batches, format) {
      const results = await closeTogether(inner, batches, format);
      const closed = batches.filter((_, i) => results[i]?.status === 'fulfilled');
      note(closed.map(({ batch }) => ({ atMs: atMs(), batchId: batch.batchId, closed: true })));
      return results;
    },
    readBatch: (batch) => inner.readBatch(batch),
  };
}

/**
 * Pairs of records that conflict and were with the store at once, or less than `apartMs` after one another, one text each.
 * What begins after its batch has its file is a worker's that was cut off: the store refuses that.
 */
export async function tooCloseIn(
  file: string,
  rules: readonly ConflictRule[],
  apartMs: number,
): Promise<string[]> {
  const lines = await readLines<StayLine>(file);
  const closedAtMs = new Map<string, number>();
  for (const line of lines)
    if ('closed' in line)
      closedAtMs.set(line.batchId, Math.min(line.atMs, closedAtMs.get(line.batchId) ?? Infinity));
  const stays = new Map<string, Stay>();
  for (const line of lines) {
    if (!('begins' in line)) continue;
    const key = `${line.batchId} ${JSON.stringify(line.begins)}`;
    const untilMs = closedAtMs.get(line.batchId) ?? Infinity;
    if (!stays.has(key) && line.atMs < untilMs)
      stays.set(key, { value: line.begins, fromMs: line.atMs, untilMs });
  }
  return tooClose([...stays.values()], rules, apartMs).map((pair) => JSON.stringify(pair));
}
