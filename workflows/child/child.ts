/*
 * batchesWorkflow: takes one or many batches from their records to their files.
 *
 *   saving ──► one activity per record (record-saving.ts), or one per attempt for all records (bulk-saving.ts)
 *   undoing ─► rollback of exhausted and rejected records (retried for 2½ minutes) ──► rolled_back;
 *              with ON_FAILURE=rollback_batch also of the saved records of their batches
 *   closing ─► closeBatches (retried until it succeeds): one file per batch with its outcomes ──► done
 *               └─ batch permanently rejected ──► settleBatch, with the rejection as the reason
 *
 *   settling ► instead of the above, if an earlier run of this child ended early (it was terminated, or failed because of
 *              a bug): settleBatch (retried until it succeeds) takes the outcomes from the file if there is one, and
 *              otherwise rolls the records back
 *
 * Saving waits for the slowest record of a batch (in bulk: of an attempt); closing and settling wait for the store. A
 * batch is never given up: records that can't be saved are rolled back, outcomes report rollbacks that failed, and an
 * unavailable store is waited for, so that every record gets its one outcome line (G4). A cancellation only stops the
 * saving of records that aren't saved yet; everything else is still done.
 *
 * Batches that close before others of their child are listed in the memo, so that readers know. If the others will take a
 * while, they are also reported to the batcher, which then starts other batches in their place.
 */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { ChildInput, ChildResult } from '../../src/contracts/workflow/child';
import { saveInBulk } from './bulk-saving';
import { Closing } from './closing';
import { openBatches } from './open-batch';
import { saveRecordByRecord } from './record-saving';
import { reportEarlyEnd } from './reports';

/** See the header of this file. Fails only because of a bug. */
export async function batchesWorkflow(input: ChildInput): Promise<ChildResult> {
  const batches = openBatches(workflowInfo().workflowId, input);
  const closing = new Closing(batches, input);
  if (input.settle !== undefined) {
    const { reason } = input.settle;
    reportEarlyEnd(batches);
    await CancellationScope.nonCancellable(() => closing.settle(batches, reason));
    return closing.result();
  }
  const save = input.bulk === undefined ? saveRecordByRecord : saveInBulk;
  const { fastestMs } = await save(batches, input, closing);
  return { ...closing.result(), ...(fastestMs !== undefined && { fastestMs }) };
}
