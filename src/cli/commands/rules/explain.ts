import { FLUSH_REASON } from '../../../domain/records/batch';
import { appendRequest, emptyBuffer, flushAll, type BufferedRecord } from '../../../domain/buffer/buffer';
import { explainBatches, type Explanation } from '../../../domain/explain';
import { MAX_BATCH_BYTES } from '../../../domain/buffer/flush-cut';
import { takeFlushes } from '../../../domain/buffer/flush-policy';
import type { JsonValue } from '../../../domain/json';
import { partition } from '../../../domain/partition';
import type { ConflictRule } from '../../../domain/rules';
import type { ReadAs } from '../import/formats';
import { print } from '../../terminal/text';
import { readRecords } from './read-records';
import { rulesOfFile } from './read-rules';
import { renderExplanation } from './render-explanation';

export interface ExplainInput {
  /** File of records; `-` for standard input. */
  name: string;
  readAs: ReadAs;
  /** File of rules, instead of those in force. */
  rulesFile: string | undefined;
  inForce: readonly ConflictRule[];
  maxBatchSize: number;
}

/** `keepapart rules explain`: how a batcher would cut the records of a file, and why so. */
export async function explain(
  { name, readAs, rulesFile, inForce, maxBatchSize }: ExplainInput,
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  const rules = rulesFile === undefined ? inForce : await rulesOfFile(rulesFile);
  const values = await readRecords(name, readAs, process.stdin);
  const { batches, summary } = cutAsBatcher(values, { rules, maxBatchSize });
  const shown = {
    maxBatchSize,
    rules,
    summary,
    batches: batches.map((batch) => ({ ...batch, records: batch.records.map(({ value }) => value) })),
  };
  print(flags, shown, renderExplanation);
}

/** Cuts records, oldest first, as a batcher does that has them all in its buffer when they are due, and says why so. */
export function cutAsBatcher(
  values: readonly JsonValue[],
  { rules, maxBatchSize }: { rules: readonly ConflictRule[]; maxBatchSize: number },
): Explanation<BufferedRecord> {
  const buffer = emptyBuffer();
  appendRequest(buffer, { requestId: 'explained', values }, 0);
  flushAll(buffer, FLUSH_REASON.manual);
  const { lowerBound } = partition(buffer.waiting, { rules, maxBatchSize });
  const flushes = takeFlushes(buffer, { maxBatchSize, conflicts: rules, flushIntervalMs: 1 }, 0, Infinity);
  return explainBatches(
    flushes.map(({ records }) => records),
    { rules, maxBatchSize, lowerBound, maxBatchBytes: MAX_BATCH_BYTES },
  );
}
