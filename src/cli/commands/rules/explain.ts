import type { ConflictRule } from '../../../domain/rules';
import type { ReadAs } from '../import/formats';
import { print } from '../../terminal/table';
import { cutAsBatcher } from './cut-as-batcher';
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
