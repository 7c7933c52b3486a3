import { readLines } from './audit';
import { nothingFound, type BatchReport } from './report';
import { canonicalJson } from '../json';
import { outcomeFileContent, type OutcomeFormat, type RecordOutcome } from '../records/outcome';
import type { KeptRecord } from '../records/record';

/** A completed batch: what it was started with and what it ended with. */
export interface CompletedBatch {
  records: readonly KeptRecord[];
  outcomes: readonly RecordOutcome[];
  format: OutcomeFormat;
}

/** What is wrong with a completed batch's file; undefined when it has exactly the bytes that it must have. */
export function problemOfCompleted(
  { records, outcomes, format }: CompletedBatch,
  content: string,
): string | undefined {
  const settled = records.flatMap((record, position) => {
    const outcome = outcomes[position];
    return outcome?.recordId === record.recordId ? [{ ...record, ...outcome }] : [];
  });
  if (settled.length !== records.length || settled.length !== outcomes.length) {
    return "the batch's outcomes are not those of its records";
  }
  const expected = outcomeFileContent(settled, format);
  if (expected === content) return undefined;
  const lines = content.split('\n');
  const line = expected.split('\n').findIndex((text, index) => text !== lines[index]);
  return `line ${(line === -1 ? settled.length : line) + 1} is not what the batch's outcomes give`;
}

/** Whether a file has an outcome for each of these records, in their order: as far as its lines tell. */
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
