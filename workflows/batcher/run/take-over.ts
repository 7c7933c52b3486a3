/* What a batcher makes of what an earlier one of its id remembered, which somebody terminated. */
import type { LeftBefore } from '../../../src/contracts/workflow/activities';
import type { AcceptedRequest } from '../../../src/contracts/workflow/batcher';
import {
  addEarlierMemory,
  unpackMemory,
  type BatcherMemory,
} from '../../../src/domain/windows/batcher-memory';
import { removeRecords } from '../../../src/domain/buffer/buffer';
import { progressUnder } from '../../../src/domain/windows/known-requests';
import { recordIdOf } from '../../../src/domain/records/record';
import type { MessageOrigin } from '../../../src/domain/windows/sender-window';
import type { BatcherState } from './state';

/** Requests that were accepted before it was known whether the earlier batcher had them. */
export interface TakenMeanwhile {
  request: AcceptedRequest;
  origin: MessageOrigin | undefined;
}

/**
 * Takes over what an earlier batcher of this id remembered (G4, G5). Records that it had accepted and that arrived here
 * again leave the buffer; nothing starts before this. Numbers of children continue above its numbers.
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
    // It continues where the earlier batcher had stopped.
    if (part !== undefined && count === values.length) state.streams.delete(part.key);
  }
  state.takenMeanwhile = [];
  addEarlierMemory(state, earlier, state.settings, nowMs);
  state.nextChildSeq = Math.max(state.nextChildSeq, nextChildSeq);
}

/** How many values of a request, from the first, the earlier batcher had accepted. */
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
