/* Children that are to start, and children of before that are found under their ids. */
import { workflowInfo } from '@temporalio/workflow';
import type { ChildClosing, HeldByChild, RecordRun } from '../../src/contracts/workflow/activities';
import type { SaveShape } from '../../src/contracts/workflow/settings';
import { childIdOf } from '../../src/domain/records/batch';
import {
  bufferedRecordId,
  inOrder,
  putBack,
  removeRecords,
  type BufferedRecord,
} from '../../src/domain/buffer/buffer';
import type { ExplainedFlush } from '../../src/domain/explain/cut-reason';
import { recordIdOf } from '../../src/domain/records/record';
import { childInput, requestIdsOf, startChildUnder } from './child-start';
import { holdFor } from './conflict-scope';
import { adoptedClosing, childClosing, readChild } from './follow-children';
import { underNextFreeId } from './next-free-id';
import type { BatcherState } from './state';

/** A child that is in flight, and how it will close. */
export interface StartedChild {
  childId: string;
  closing: Promise<ChildClosing | undefined>;
  /** Whether an earlier run has started it, so that it may hold other batches than those that were to start. */
  adopted: boolean;
  /**
   * Starts it anew to be settled for a reason, where the server doesn't know it any more: only this run has its records.
   * False when its id is taken, as somebody was faster.
   */
  again?: (reason: string) => Promise<boolean>;
}

/**
 * Starts a child under the next free id. An id is taken when this batcher was terminated and starts again at 1 while
 * Temporal still retains children from before: no id names two batches (G4).
 *
 * It is also taken when this batcher was reset to a point before the start. Then the child holds records that are
 * buffered here again, perhaps cut into other batches, as what came one by one has come at once: it is adopted, its records
 * leave the buffer, and the rest of what was to start waits for the next look.
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
    const handle = await startChildUnder(childId, input, flushes);
    if (handle !== undefined) {
      state.counters.batchesStarted += flushes.length;
      const again = async (reason: string): Promise<boolean> =>
        (await startChildUnder(childId, { ...input, settle: { reason } }, flushes)) !== undefined;
      return { childId, closing: childClosing(handle), adopted: false, again };
    }
    const held = await readChild(childId);
    state.apart?.held.callOff(seq);
    if (adopt(state, seq, held, records, openedAtMs)) {
      state.counters.batchesStarted += held.batches;
      return { childId, closing: adoptedClosing(childId), adopted: true };
    }
    state.inFlight.delete(childId);
    return undefined;
  });
}

/** Of what an earlier batcher has started and this one follows, nothing is to be started again. */
function nextChildSeq(state: BatcherState): number {
  const { workflowId } = workflowInfo();
  while (state.inFlight.has(childIdOf(workflowId, state.nextChildSeq))) state.nextChildSeq++;
  return state.nextChildSeq++;
}

/** Puts such a child in flight. After a reset some of its records are buffered here as well, and leave the buffer. */
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
  putBack(head, toStart);
  const taken = [...removeRecords(head, ids), ...removeRecords(tail, ids)];
  holdFor(state, seq, taken);
  // What of it is not buffered here an earlier batcher of this id has taken; the child reports all of it.
  const records = recordsIn(runs);
  state.counters.accepted += records - taken.length;
  const childId = childIdOf(workflowInfo().workflowId, seq);
  const requestIds = [...new Set(runs.map(([requestId]) => requestId))];
  state.inFlight.set(childId, { childId, batches, records, bulk, startedAtMs, requestIds });
  return true;
}

function recordsIn(runs: readonly RecordRun[]): number {
  return runs.reduce((sum, [, , count]) => sum + count, 0);
}

/** How often each record is there. */
function countIds(runs: readonly RecordRun[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [requestId, first, length] of runs) {
    for (let index = first; index < first + length; index++) {
      const id = recordIdOf(requestId, index);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}
