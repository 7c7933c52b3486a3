import { appendFileSync } from 'node:fs';
import { recordIdOf } from '../../src/domain/records/record';
import type { HeldRecord } from '../../src/temporal/rescue/held-by-run';

export interface DeletionFiles {
  /** Takes a line for each record that was in something that was deleted. */
  deleted: string;
  /** Takes a line for each key that was forgotten before its client was answered. */
  forgotten: string;
}

/** Writes down what an operator who deletes workflows can cost: these records and no others may be without an outcome. */
export function createDeletions({ deleted, forgotten }: DeletionFiles) {
  const write = (file: string, lines: readonly unknown[]) =>
    lines.length > 0 && appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return {
    /** To be told before the deletion. */
    note(records: readonly HeldRecord[]): void {
      write(
        deleted,
        records.map(({ requestId, index, value }) => ({ recordId: recordIdOf(requestId, index), value })),
      );
    },
    noteForgotten(keys: readonly string[]): void {
      write(forgotten, keys);
    },
  };
}
export type Deletions = ReturnType<typeof createDeletions>;
