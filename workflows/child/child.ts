/*
 * batchesWorkflow: one batch or many, from their records to their files.
 *
 *   saving ──► each record by an activity of its own (record-saving.ts), or all together (bulk-saving.ts)
 *   undoing ─► rollback of what was exhausted or refused (tried for 2½ minutes) ──► rolled_back;
 *              with ON_FAILURE=rollback_batch of the saved records of that batch, too
 *   closing ─► closeBatches (until it succeeds): one file per batch from its outcomes ──► done
 *               └─ refused for good ──► settleBatch, with the refusal as the reason
 *
 *   settling ► instead of all that when an earlier run of this id closed without completing, terminated by an operator or
 *              by a bug: settleBatch (until it succeeds): the earlier run's file, or one that says why there is none
 *
 * Saving waits for the slowest record of a batch (in bulk: of an attempt), closing and settling for a store that answers.
 * Nothing here gives up on a batch: what can't be saved is rolled back, what can't be rolled back says so, and a store
 * that is away is waited for, so that every record gets its one outcome line (G4). A cancellation stops the saving of
 * what isn't saved yet; all the rest is still done.
 *
 * A batch that has its file while others of the child don't is in the memo, by which readers know that it is closed.
 * Where the others will take a while, it is also reported to the batcher, which starts another in its place.
 */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { ChildInput, ChildResult } from '../../src/contracts/workflow/child';
import { batchIdIn, type BatchRef, type FlushReason } from '../../src/domain/records/batch';
import { unpackBatch, type PackedBatch } from '../../src/domain/records/packed-batch';
import type { KeptRecord } from '../../src/domain/records/record';
import { saveInBulk } from './bulk-saving';
import { Closing } from './closing';
import { saveRecordByRecord } from './record-saving';
import { reportEarlyEnd } from './reports';

/** A batch as the workflow works on it. */
export interface OpenBatch {
  /** In the child, from 1. */
  place: number;
  ref: BatchRef;
  flushReason: FlushReason;
  packed: PackedBatch;
  records: KeptRecord[];
  /** See `BatchInChild`. */
  waitedMs: readonly number[];
}

export async function batchesWorkflow(input: ChildInput): Promise<ChildResult> {
  const { workflowId } = workflowInfo();
  const { openedAtMs } = input;
  const batches = input.batches.map(({ records, flushReason, waitedMs = [] }, i): OpenBatch => {
    const batchId = batchIdIn(workflowId, i + 1, input.batches.length);
    return {
      place: i + 1,
      ref: { batchId, openedAtMs },
      flushReason,
      packed: records,
      records: unpackBatch(records),
      waitedMs,
    };
  });
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
