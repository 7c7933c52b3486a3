import type { AcceptedRequest, OperatorAction } from '../../src/contracts/workflow/batcher';
import { FLUSH_REASON } from '../../src/domain/records/batch';
import { removeRecords } from '../../src/domain/buffer/buffer';
import type { RequestDigest } from '../../src/domain/windows/key-window';
import { takeOnce } from '../../src/domain/windows/known-requests';
import { appendToEnd, flushEverything, flushedRecords } from '../../src/domain/buffer/paged-buffer';
import { recordIdOf } from '../../src/domain/records/record';
import type { BatcherState } from './state';

/** Appends what arrives, unless its key is known or it is a part out of turn: then it adds nothing (G5). */
export function takeRequest(state: BatcherState, request: AcceptedRequest, nowMs: number): void {
  if (isOutdated(state, request)) return;
  if (!isNew(state, request, nowMs)) {
    state.counters.duplicateRequests++;
    return;
  }
  if (state.takeOver && request.digest !== undefined) state.takenMeanwhile.set(request.digest.key, request);
  appendToEnd(state.buffer, request, nowMs);
  state.counters.accepted += request.values.length;
}

/**
 * Remembers the keys of an earlier batcher of this id (G5). A list that it had taken, and that a client has repeated here
 * before its key was known, leaves the buffer: nothing of it has started.
 */
export function takeOverKeys(state: BatcherState, keys: readonly RequestDigest[], nowMs: number): void {
  for (const digest of keys) {
    if (takeOnce(state, { digest }, state.settings, nowMs)) continue;
    const repeat = state.takenMeanwhile.get(digest.key);
    if (repeat?.digest?.body !== digest.body) continue;
    const ids = new Map(repeat.values.map((_, i) => [recordIdOf(repeat.requestId, i), 1]));
    const { head, tail } = state.buffer;
    state.counters.accepted -= removeRecords(head, ids).length + removeRecords(tail, ids).length;
    state.counters.duplicateRequests++;
  }
  state.takenMeanwhile.clear();
}

/** Remembers what is taken under a key, and says whether it is to be. */
function isNew(state: BatcherState, request: AcceptedRequest, nowMs: number): boolean {
  const { digest, part, offset = 0, values } = request;
  if (part !== undefined)
    return takeOnce(state, { part, offset, records: values.length }, state.settings, nowMs);
  return digest === undefined || takeOnce(state, { digest }, state.settings, nowMs);
}

/** Whether the sender doesn't know yet where keys have to be looked for. */
export function isOutdated(state: BatcherState, { layout }: AcceptedRequest): boolean {
  return layout !== undefined && layout < state.layout.version;
}

export function beginDrain(state: BatcherState, { by, atMs }: OperatorAction): void {
  flushEverything(state.buffer, FLUSH_REASON.drain);
  state.drain = { by, atMs, untilChildSeq: null };
}

/** Notes when all that a drain is for has left the buffer. Not while batches start, as their numbers may still change. */
export function followDrain({ drain, buffer, nextChildSeq }: BatcherState): void {
  if (drain?.untilChildSeq === null && flushedRecords(buffer) === 0) drain.untilChildSeq = nextChildSeq;
}
