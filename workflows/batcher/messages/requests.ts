import type { AcceptedRequest, OperatorAction } from '../../../src/contracts/workflow/batcher';
import { FLUSH_REASON } from '../../../src/domain/records/batch';
import { isNewRequest, isOutdated } from '../../../src/domain/windows/batcher-memory';
import { appendToEnd, flushEverything, flushedRecords } from '../../../src/domain/buffer/paged-buffer';
import { noteMessage, type MessageOrigin } from '../../../src/domain/windows/sender-window';
import type { BatcherState } from '../run/state';

/** Accepts the requests of a message, unless it is a repeat. */
export function takeMessage(
  state: BatcherState,
  requests: readonly AcceptedRequest[],
  origin: MessageOrigin | undefined,
  nowMs: number,
): void {
  if (origin !== undefined && !noteMessage(state.senders, origin)) {
    state.counters.repeatedMessages++;
    return;
  }
  for (const request of requests) {
    if (takeRequest(state, request, nowMs) && state.takeOver) state.takenMeanwhile.push({ request, origin });
  }
}

/**
 * Appends the records of a request, unless its key is known or it is a part out of order; then it adds nothing (G5).
 * @returns whether it was accepted
 */
export function takeRequest(state: BatcherState, request: AcceptedRequest, nowMs: number): boolean {
  if (isOutdated(state, request)) return false;
  if (!isNewRequest(state, request, state.settings, nowMs)) {
    state.counters.duplicateRequests++;
    return false;
  }
  appendToEnd(state.buffer, request, nowMs);
  state.counters.accepted += request.values.length;
  return true;
}

export function beginDrain(state: BatcherState, { by, atMs }: OperatorAction): void {
  flushEverything(state.buffer, FLUSH_REASON.drain);
  state.drain = { by, atMs, untilChildSeq: null };
}

/**
 * Records when everything that a drain covers has left the buffer. Not while batches start, because their numbers may
 * still change.
 */
export function followDrain({ drain, buffer, nextChildSeq }: BatcherState): void {
  if (drain?.untilChildSeq === null && flushedRecords(buffer) === 0) drain.untilChildSeq = nextChildSeq;
}
