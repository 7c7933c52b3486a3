/* How a batcher that was reset takes back the children that it had started and no longer knows of. */
import type { StartedChild } from '../../../src/contracts/workflow/activities';
import { bufferedRecordId, inOrder, removeRecords } from '../../../src/domain/buffer/buffer';
import { groupBy } from '../../../src/domain/group-by';
import { childSeqOf } from '../../../src/domain/records/batch';
import { recordIdOf } from '../../../src/domain/records/record';
import { countIds, recordsIn } from './children';
import { holdFor } from './conflict-scope';
import type { BatcherState } from '../run/state';

/** Whether records of these children may still lie in pages: they are not in the rest of the buffer. */
export function lieInPages({ buffer }: BatcherState, children: readonly StartedChild[]): boolean {
  if (buffer.pages.length === 0) return false;
  const ids = countIds(children.flatMap(({ held }) => held.records));
  for (const records of [inOrder(buffer.head), inOrder(buffer.tail)])
    for (const record of records) ids.delete(bufferedRecordId(record));
  return ids.size > 0;
}

/**
 * Puts these children in flight. The reset run received the same records again with the earlier messages, so they are
 * removed from the buffer.
 */
export function adoptStarted(state: BatcherState, children: readonly StartedChild[]): void {
  const { head, tail } = state.buffer;
  const ids = countIds(children.flatMap(({ held }) => held.records));
  const taken = groupBy([...removeRecords(head, ids), ...removeRecords(tail, ids)], bufferedRecordId);
  for (const { childId, held, closing } of children) {
    const seq = childSeqOf(childId);
    state.nextChildSeq = Math.max(state.nextChildSeq, seq + 1);
    const buffered = held.records.flatMap(([requestId, first, count]) =>
      Array.from(
        { length: count },
        (_, i) => taken.get(recordIdOf(requestId, first + i))?.shift() ?? [],
      ).flat(),
    );
    if (closing === undefined) holdFor(state, seq, buffered);
    const { batches, bulk } = held;
    const records = recordsIn(held.records);
    // The child reports all of its records, including any that are in no buffer.
    state.counters.accepted += records - buffered.length;
    state.counters.batchesStarted += batches;
    state.inFlight.set(childId, { childId, batches, records, bulk, startedAtMs: 0, requestIds: [] });
  }
}
