/* What a batcher makes of what an earlier one of its id remembered, which somebody terminated. */
import type { LeftBefore } from '../../src/contracts/workflow/activities';
import type { AcceptedRequest } from '../../src/contracts/workflow/batcher';
import { addEarlierMemory, unpackMemory, type BatcherMemory } from '../../src/domain/windows/batcher-memory';
import { removeRecords } from '../../src/domain/buffer/buffer';
import { progressUnder } from '../../src/domain/windows/known-requests';
import { recordIdOf } from '../../src/domain/records/record';
import type { MessageOrigin } from '../../src/domain/windows/sender-window';
import type { BatcherState } from './state';

/** What has been taken while it wasn't known yet whether the earlier batcher had it. */
export interface TakenMeanwhile {
  request: AcceptedRequest;
  origin: MessageOrigin | undefined;
}

/**
 * Remembers what an earlier batcher of this id remembered (G4, G5). What it had taken, and what has come here once more
 * since, leaves the buffer: nothing starts before this. Numbers of children go on above those that it gave.
 */
export function takeOverMemory(
  state: BatcherState,
  { memory, nextChildSeq }: LeftBefore,
  nowMs: number,
): void {
  const earlier = unpackMemory(memory);
  const { head, tail } = state.buffer;
  for (const taken of state.takenMeanwhile) {
    const { requestId, values, offset = 0, part } = taken.request;
    const count = takenBefore(taken, earlier, state, nowMs);
    if (count === 0) continue;
    const ids = new Map(
      Array.from({ length: count }, (_, i) => [recordIdOf(requestId, offset + i), 1] as const),
    );
    state.counters.accepted -= removeRecords(head, ids).length + removeRecords(tail, ids).length;
    state.counters.duplicateRequests++;
    // It goes on from where the earlier batcher had taken it to.
    if (part !== undefined && count === values.length) state.streams.delete(part.key);
  }
  state.takenMeanwhile = [];
  addEarlierMemory(state, earlier, state.settings, nowMs);
  state.nextChildSeq = Math.max(state.nextChildSeq, nextChildSeq);
}

/** How many values of a request, from the first on, the earlier batcher had taken. */
function takenBefore(
  { request, origin }: TakenMeanwhile,
  earlier: BatcherMemory,
  { settings }: BatcherState,
  nowMs: number,
): number {
  const { values, digest, part, offset = 0 } = request;
  if (origin !== undefined && origin.number <= (earlier.senders.get(origin.sender) ?? 0))
    return values.length;
  const ref = part ?? digest;
  const known = ref && progressUnder(earlier, ref, settings, nowMs);
  if (known === undefined) return 0;
  if (digest !== undefined) return known.digest === digest.body ? values.length : 0;
  return Math.max(0, Math.min(values.length, (known.taken ?? 0) - offset));
}
