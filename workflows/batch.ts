/*
 * batchWorkflow: one batch, from its records to its file.
 *
 *   saving ──► per record, side by side: save (by SAVE_ACTIVITY, see saving.ts) ──► saved
 *                                         └─ exhausted or refused ──► rollback (tried for 2½ minutes) ──► rolled_back
 *   deciding ► ON_FAILURE=rollback_batch, and one was rolled back: rollback of the saved ones too
 *   closing ─► closeBatch (until it succeeds): one file from all outcomes ──► done
 *               └─ refused for good ──► settleBatch, with the refusal as the reason
 *
 *   settling ► instead of all that when an earlier run of this id closed without completing, by somebody's hand or a
 *              bug: settleBatch (until it succeeds): the earlier run's file, or one that tells why there is nothing else
 *
 * Saving waits for the slowest record, closing and settling for a store that answers. Nothing here gives up on a batch:
 * what can't be saved is rolled back, what can't be rolled back says so, and a store that is away is waited for, so that
 * every record gets its one outcome line (G4).
 * A cancellation by hand stops the saving of what isn't saved yet; all the rest is still done.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { BatchInput, BatchResult } from '../src/contracts/batch';
import { ON_FAILURE } from '../src/contracts/settings';
import type { BatchRef } from '../src/domain/batch';
import { outcomeOf, type SettledRecord } from '../src/domain/outcome';
import { savingOfBatch, settleRecords } from './saving';
import { describeBatchRefusal } from './save-failure';
import { showOutcomes } from './show-outcomes';
import { undoBatch } from './undo';
import { untilItSucceeds } from './until-it-succeeds';

export async function batchWorkflow(input: BatchInput): Promise<BatchResult> {
  const { settle: toSettle } = input;
  if (toSettle !== undefined) {
    return CancellationScope.nonCancellable(() => settleAnew(input, toSettle.reason));
  }
  const { batchId, openedAtMs, records } = input.batch;
  const batch: BatchRef = { batchId, openedAtMs };
  const settled = await settleRecords(records, batch, savingOfBatch(input));
  return CancellationScope.nonCancellable(async () => {
    const allOrNothing = input.onFailure === ON_FAILURE.rollbackBatch;
    return close(batch, allOrNothing ? await undoBatch(settled, batch) : settled, input);
  });
}

async function close(batch: BatchRef, records: SettledRecord[], input: BatchInput): Promise<BatchResult> {
  const { closeBatch } = untilItSucceeds(`${records.length} outcomes`);
  const outcomes = records.map(outcomeOf);
  showOutcomes(outcomes);
  try {
    const { location } = await closeBatch({ batch, records, format: input.outcomeFormat });
    return { location, outcomes };
  } catch (error) {
    return settleAnew(input, describeBatchRefusal(error));
  }
}

/** The outcomes that are published already, or else everything rolled back for this reason. */
async function settleAnew(input: BatchInput, reason: string): Promise<BatchResult> {
  const { batch, outcomeFormat: format } = input;
  const { settleBatch } = untilItSucceeds(`${batch.records.length} records to settle`);
  const result = await settleBatch({ batch, format, reason, atMs: Date.now() });
  showOutcomes(result.outcomes);
  return result;
}
