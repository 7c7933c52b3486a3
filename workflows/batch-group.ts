/*
 * batchGroupWorkflow: several batches that began together, each from its records to its file as in batchWorkflow.
 *
 *   saving ──► each batch by itself, side by side; none waits for another's records
 *   closing ─► closeBatches for those that are settled by now, again for those that are later; one that can't be closed
 *              goes on alone (closeBatch, until it succeeds)
 *   settling ► as in batchWorkflow, batch by batch, when an earlier run of this id closed without completing
 *
 * A batch that has its file while others haven't is told to the batcher, which starts another in its place, and noted in
 * the memo, by which readers know that it is closed.
 */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { BatchGroupInput, BatchGroupResult } from '../src/contracts/batch';
import { ON_FAILURE } from '../src/contracts/settings';
import { idInGroup } from '../src/domain/batch';
import { outcomeOf, type RecordOutcome } from '../src/domain/outcome';
import { packOutcomes, unpackBatch } from '../src/domain/packed-batch';
import { closeInWaves, settleAnew, type BatchInGroup, type SettledInGroup } from './group-closing';
import { savingOfGroup, settleRecords } from './saving';
import type { Saving } from './saving-by-activity';
import { undoBatch } from './undo';

/** What the errors of all records may take together, in characters: the result is one payload, of at most 2 MiB. */
const MAX_ERRORS_LENGTH = 256 * 1024;

export async function batchGroupWorkflow(input: BatchGroupInput): Promise<BatchGroupResult> {
  const { workflowId } = workflowInfo();
  const saving = savingOfGroup(input);
  const reason = input.settle?.reason ?? '';
  const batches = input.batches.map(({ records, flushReason }, i): BatchInGroup => ({
    place: i + 1,
    ref: { batchId: idInGroup(workflowId, i + 1), openedAtMs: input.openedAtMs },
    flushReason,
    packed: records,
    records: unpackBatch(records),
  }));
  const records = batches.reduce((sum, batch) => sum + batch.records.length, 0);
  const errorLength = Math.floor(MAX_ERRORS_LENGTH / records);
  const settling = batches.map((batch) =>
    input.settle === undefined
      ? settle(batch, input, saving, errorLength)
      : CancellationScope.nonCancellable(() => settleAnew(batch, input.outcomeFormat, reason)),
  );
  return CancellationScope.nonCancellable(() => closeInWaves(batches, settling, input, saving));
}

async function settle(
  { ref, records }: BatchInGroup,
  { onFailure }: BatchGroupInput,
  saving: Saving,
  errorLength: number,
): Promise<SettledInGroup> {
  const settled = await settleRecords(records, ref, saving);
  const outcomes =
    onFailure === ON_FAILURE.rollbackBatch
      ? await CancellationScope.nonCancellable(() => undoBatch(settled, ref))
      : settled;
  return { outcomes: packOutcomes(outcomes.map((outcome) => withShortErrors(outcome, errorLength))) };
}

function withShortErrors(record: RecordOutcome, length: number): RecordOutcome {
  const { error, rollbackError, ...outcome } = outcomeOf(record);
  return {
    ...outcome,
    ...(error !== undefined && { error: error.slice(0, length) }),
    ...(rollbackError !== undefined && { rollbackError: rollbackError.slice(0, length) }),
  };
}
