import { readLines } from './audit';
import { nothingFound, type BatchReport } from './report';
import { canonicalJson } from '../json';
import { outcomeFileContent, type OutcomeFormat, type RecordOutcome } from '../records/outcome';
import type { KeptRecord } from '../records/record';

/** A completed batch: its records from the child's input, and its outcomes from the child's result, both in batch order. */
export interface CompletedBatch {
  records: readonly KeptRecord[];
  outcomes: readonly RecordOutcome[];
  format: OutcomeFormat;
}

/** The problem with the file of a completed batch; undefined if it has exactly the expected bytes. */
export function problemOfCompleted(
  { records, outcomes, format }: CompletedBatch,
  content: string,
): string | undefined {
  const settled = records.flatMap((record, position) => {
    const outcome = outcomes[position];
    return outcome?.recordId === record.recordId ? [{ ...record, ...outcome }] : [];
  });
  if (settled.length !== records.length || settled.length !== outcomes.length) {
    return "the batch's outcomes don't match its records";
  }
  const expected = outcomeFileContent(settled, format);
  if (expected === content) return undefined;
  const lines = content.split('\n');
  const line = expected.split('\n').findIndex((text, index) => text !== lines[index]);
  return `line ${(line === -1 ? settled.length : line) + 1} differs from the batch's outcomes`;
}

/** Whether a file has exactly one outcome for each of these records, in order. Lines in the format `text` are compared by value. */
export function settles(records: readonly KeptRecord[], content: string): boolean {
  const { lines, problem } = readLines(content);
  return (
    problem === undefined &&
    lines.length === records.length &&
    records.every((record, index) => {
      const line = lines[index];
      return (
        line?.canonical === canonicalJson(record.value) &&
        (line.recordId ?? record.recordId) === record.recordId
      );
    })
  );
}

export function emptyBatchReport(): BatchReport {
  return {
    completed: 0,
    running: 0,
    closedWithFile: 0,
    forgotten: 0,
    unlistedFiles: 0,
    abandonedRecords: 0,
    damage: { fileMissing: nothingFound(), fileDiffers: nothingFound(), abandoned: nothingFound() },
  };
}
