import type { WorkflowInfo } from '@temporalio/workflow';
import type { BatcherStatus, CutStatus, DrainStatus, RequestTrace } from '../src/contracts/batcher';
import { batchSeqOf } from '../src/domain/batch';
import { knownStream, type StreamProgress } from '../src/domain/stream-window';
import { toldDeferrals } from '../src/domain/explain/cut-counts';
import { bufferedOutsidePages, flushedRecords, oldestAcceptedAtMs, sizeOf } from '../src/domain/paged-buffer';
import { batchesInFlight, bodyUnderKey, openBatches, type BatcherState } from './batcher-state';
import { limitsInForce } from './limits';

/** Answers of the batcher's queries, and what the Web UI shows of it. */
export function statusOf(state: BatcherState, info: WorkflowInfo): BatcherStatus {
  const { records, bytes } = sizeOf(state.buffer);
  return {
    bufferedRecords: records,
    bufferedBytes: bytes,
    oldestAcceptedAtMs: oldestAcceptedAtMs(state.buffer),
    inFlight: batchesInFlight(state),
    counters: state.counters,
    cuts: cutsOf(state),
    paused: state.paused,
    drain: drainStatusOf(state),
    pages: state.buffer.pages.length,
    settings: state.settings,
    overridden: limitsInForce(state).overridden,
    run: {
      historyEvents: info.historyLength,
      historyBytes: info.historySize,
      messages: state.messages,
      continuedAsNew: state.continuedAsNew,
    },
  };
}

function cutsOf({ cuts, settings }: BatcherState): CutStatus {
  return { ...cuts, deferredBy: toldDeferrals(cuts, settings.conflicts) };
}

function drainStatusOf({ drain, buffer, inFlight, nextBatchSeq }: BatcherState): DrainStatus | null {
  if (drain === null) return null;
  const { by, atMs, untilBatchSeq } = drain;
  const before = untilBatchSeq ?? nextBatchSeq;
  return {
    by,
    atMs,
    bufferedRecords: untilBatchSeq === null ? flushedRecords(buffer) : 0,
    inFlight: [...inFlight.values()]
      .filter(({ batchId }) => batchSeqOf(batchId) < before)
      .reduce((sum, child) => sum + openBatches(child), 0),
  };
}

export function traceOf(state: BatcherState, requestId: string): RequestTrace {
  const { size, indexes } = bufferedOutsidePages(state.buffer, requestId);
  const holding = [...state.inFlight.values()].filter((batch) => batch.requestIds.includes(requestId));
  return {
    size,
    bufferedIndexes: indexes,
    inFlightBatchIds: holding.map((batch) => batch.batchId),
    pageIds: state.buffer.pages.map(({ pageId }) => pageId),
  };
}

/** By key digest: the body digest under which it is known. */
export function knownKeys(state: BatcherState, keys: readonly string[], nowMs: number): (string | null)[] {
  return keys.map((key) => bodyUnderKey(state, key, nowMs) ?? null);
}

/** A key under which a list was taken stands for a whole stream of other records. */
export function progressOf(state: BatcherState, key: string, nowMs: number): StreamProgress | null {
  const stream = knownStream(state.streams, key, state.settings, nowMs);
  if (stream !== undefined) {
    const { taken, digest, complete } = stream;
    return { taken, digest, complete };
  }
  const body = bodyUnderKey(state, key, nowMs);
  return body === undefined ? null : { taken: 0, digest: body, complete: true };
}

/** The line that the Web UI shows as the workflow's current details. */
export function describeBatcher(state: BatcherState): string {
  const { buffer, counters, paused } = state;
  const { saved, rolledBack, batchesFailed } = counters;
  return [
    paused === null ? 'running' : `paused by ${paused.by}`,
    `${sizeOf(buffer).records} records buffered`,
    `${batchesInFlight(state)} batches in flight`,
    `${saved} saved`,
    `${rolledBack} rolled back`,
    `${batchesFailed} batches failed`,
  ].join(' · ');
}
