/* Children that are to start, and children of before that are found under their ids. */
import { workflowInfo } from '@temporalio/workflow';
import type { ChildClosing, HeldByChild, RecordRun } from '../../../src/contracts/workflow/activities';
import type { SaveShape } from '../../../src/contracts/workflow/settings';
import { childIdOf } from '../../../src/domain/records/batch';
import {
  bufferedRecordId,
  inOrder,
  putBack,
  removeRecords,
  type BufferedRecord,
} from '../../../src/domain/buffer/buffer';
import type { ExplainedFlush } from '../../../src/domain/explain/cut-reason';
import { recordIdOf } from '../../../src/domain/records/record';
import { childInput, requestIdsOf, startChildUnder } from './child-start';
import { holdFor } from './conflict-scope';
import { adoptedClosing, childClosing, readChild } from './follow-children';
import { underNextFreeId } from '../run/next-free-id';
import type { BatcherState } from '../run/state';

/** A child that is in flight, and how it will close. */
export interface StartedChild {
  childId: string;
  closing: Promise<ChildClosing | undefined>;
  /** Whether an earlier run started it, so that it may have other batches than those to be started. */
  adopted: boolean;
  /**
   * Starts it again to settle it, if the server no longer knows it and only this run has its records. False if its id
   * is taken, because somebody was faster.
   */
  again?: (reason: string) => Promise<boolean>;
}

/**
 * Starts a child under the next free id. An id is taken when this batcher was terminated and its numbers go on from too low
 * a number, as nothing was known of that run: no id names two batches (G4).
 *
 * It is also taken when this batcher was reset to a point after it had asked for this start and before it heard of it, or
 * when the history of the run that was reset is gone (see `Activities.findStarted`). If the child holds records that are
 * buffered here again, it is adopted, its records leave the buffer, and the rest of what was to start waits for the next
 * look.
 */
export async function startOrAdopt(
  state: BatcherState,
  flushes: readonly ExplainedFlush[],
  shape: SaveShape,
  openedAtMs: number,
): Promise<StartedChild> {
  const requestIds = requestIdsOf(flushes);
  const input = childInput(state, flushes, shape, openedAtMs);
  const records = flushes.flatMap((flush) => flush.records);
  const ids = {
    take: () => nextChildSeq(state),
    skip(count: number) {
      state.nextChildSeq += count;
    },
  };
  let tried: number | undefined;
  return underNextFreeId(ids, async (seq): Promise<StartedChild | undefined> => {
    const childId = childIdOf(workflowInfo().workflowId, seq);
    holdFor(state, seq, records);
    const bulk = input.bulk !== undefined;
    state.inFlight.set(childId, {
      childId,
      batches: flushes.length,
      records: records.length,
      bulk,
      startedAtMs: openedAtMs,
      requestIds,
    });
    // Only now, so that the records are held and in flight all the time (G2, G4).
    if (tried !== undefined) forget(state, tried);
    tried = seq;
    const handle = await startChildUnder(childId, input, flushes, state.idKey);
    if (handle !== undefined) {
      state.counters.batchesStarted += flushes.length;
      const again = async (reason: string): Promise<boolean> =>
        (await startChildUnder(childId, { ...input, settle: { reason } }, flushes, state.idKey)) !==
        undefined;
      return { childId, closing: childClosing(handle), adopted: false, again };
    }
    const held = await readChild(childId);
    if (adopt(state, seq, held, records, openedAtMs)) {
      state.counters.batchesStarted += held.batches;
      return { childId, closing: adoptedClosing(childId), adopted: true };
    }
    return undefined;
  });
}

/** Reverts what was recorded for a child that was not started under this number. */
function forget({ inFlight, apart }: BatcherState, seq: number): void {
  inFlight.delete(childIdOf(workflowInfo().workflowId, seq));
  apart?.held.callOff(seq);
}

/** Children of an earlier batcher that this one follows must not be started again. */
function nextChildSeq(state: BatcherState): number {
  const { workflowId } = workflowInfo();
  while (state.inFlight.has(childIdOf(workflowId, state.nextChildSeq))) state.nextChildSeq++;
  return state.nextChildSeq++;
}

/** Puts such a child in flight. After a reset, some of its records are buffered here as well; they leave the buffer. */
export function takeOverChild(
  state: BatcherState,
  childId: string,
  { batches, bulk, records: runs }: HeldByChild,
): void {
  const { head, tail } = state.buffer;
  const records = recordsIn(runs);
  const ids = countIds(runs);
  const known = removeRecords(head, ids).length + removeRecords(tail, ids).length;
  state.counters.accepted += records - known;
  state.counters.batchesStarted += batches;
  state.inFlight.set(childId, { childId, batches, records, bulk, startedAtMs: 0, requestIds: [] });
}

/**
 * Takes over a child that was started before, if any of its records is among those that were to start or are buffered.
 * Several records may have the same id, where a key was forgotten: the child then has the oldest.
 */
function adopt(
  state: BatcherState,
  seq: number,
  { batches, bulk, records: runs }: HeldByChild,
  toStart: readonly BufferedRecord[],
  startedAtMs: number,
): boolean {
  const { head, tail } = state.buffer;
  const ids = countIds(runs);
  const isHeld = (record: BufferedRecord) => ids.has(bufferedRecordId(record));
  if (![toStart, inOrder(head), inOrder(tail)].some((records) => records.some(isHeld))) return false;
  state.apart?.held.callOff(seq);
  putBack(head, toStart);
  const taken = [...removeRecords(head, ids), ...removeRecords(tail, ids)];
  holdFor(state, seq, taken);
  // An earlier batcher of this id accepted those that are not buffered here; the child reports all of them.
  const records = recordsIn(runs);
  state.counters.accepted += records - taken.length;
  const childId = childIdOf(workflowInfo().workflowId, seq);
  const requestIds = [...new Set(runs.map(([requestId]) => requestId))];
  state.inFlight.set(childId, { childId, batches, records, bulk, startedAtMs, requestIds });
  return true;
}

export function recordsIn(runs: readonly RecordRun[]): number {
  return runs.reduce((sum, [, , count]) => sum + count, 0);
}

/** How often each record occurs. */
export function countIds(runs: readonly RecordRun[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [requestId, first, length] of runs) {
    for (let index = first; index < first + length; index++) {
      const id = recordIdOf(requestId, index);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}
