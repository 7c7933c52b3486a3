import type { WorkflowInfo } from '@temporalio/workflow';
import {
  NOT_YET,
  type AcceptedRequest,
  type BatcherAnswers,
  type BatcherQuestion,
  type BatcherStatus,
  type CutStatus,
  type DrainStatus,
  type RequestTrace,
  type TakeAnswer,
} from '../../../src/contracts/workflow/batcher';
import { childSeqOf } from '../../../src/domain/records/batch';
import { isOutdated } from '../../../src/domain/windows/batcher-memory';
import type { KeyRef } from '../../../src/domain/windows/key-window';
import { bodyUnder, progressUnder } from '../../../src/domain/windows/known-requests';
import type { StreamProgress } from '../../../src/domain/windows/stream-window';
import { topDeferrals } from '../../../src/domain/explain/cut-counts';
import {
  bufferedOutsidePages,
  flushedRecords,
  oldestAcceptedAtMs,
  sizeOf,
} from '../../../src/domain/buffer/paged-buffer';
import { bufferSampleOf } from './buffer-sample';
import { batchesInFlight, openBatches, recordsInFlight, unaccountedRecords } from '../run/in-flight';
import { paceStatusOf } from '../children/pace';
import type { BatcherState } from '../run/state';
import { limitsInForce } from './limits';
import { bufferWaitsOf, oldestDueAtMs, waitsOf } from './waits';

/** What the batcher reports about itself, in answers and in Temporal's Web UI. */
export function statusOf(state: BatcherState, info: WorkflowInfo): BatcherStatus {
  const { records, bytes } = sizeOf(state.buffer);
  return {
    bufferedRecords: records,
    bufferedBytes: bytes,
    oldestAcceptedAtMs: oldestAcceptedAtMs(state.buffer),
    oldestDueAtMs: oldestDueAtMs(state, Date.now()),
    inFlight: batchesInFlight(state),
    inFlightRecords: recordsInFlight(state),
    unaccounted: unaccountedRecords(state),
    counters: state.counters,
    cuts: cutsOf(state),
    saving: state.saving,
    paused: state.paused,
    pace: paceStatusOf(state, Date.now()),
    storeAway: state.store.status(Date.now()),
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
  return { ...cuts, deferredBy: topDeferrals(cuts, settings.conflicts) };
}

function drainStatusOf({ drain, buffer, inFlight, nextChildSeq }: BatcherState): DrainStatus | null {
  if (drain === null) return null;
  const { by, atMs, untilChildSeq } = drain;
  const before = untilChildSeq ?? nextChildSeq;
  return {
    by,
    atMs,
    bufferedRecords: untilChildSeq === null ? flushedRecords(buffer) : 0,
    inFlight: [...inFlight.values()]
      .filter(({ childId }) => childSeqOf(childId) < before)
      .reduce((sum, child) => sum + openBatches(child), 0),
  };
}

export function traceOf(state: BatcherState, requestId: string): RequestTrace {
  const { size, indexes } = bufferedOutsidePages(state.buffer, requestId);
  const holding = [...state.inFlight.values()].filter((child) => child.requestIds.includes(requestId));
  return {
    size,
    bufferedIndexes: indexes,
    inFlightChildIds: holding.map((child) => child.childId),
    pageIds: state.buffer.pages.map(({ pageId }) => pageId),
  };
}

function bodyOf(state: BatcherState, key: KeyRef, nowMs: number): string | null {
  return bodyUnder(state, key, state.settings, nowMs) ?? null;
}

function progressOf(state: BatcherState, key: KeyRef, nowMs: number): StreamProgress | null {
  return progressUnder(state, key, state.settings, nowMs) ?? null;
}

/** Answers questions, in order. Only reads the state, because it runs in a validator. */
export function answersTo(
  state: BatcherState,
  info: WorkflowInfo,
  questions: readonly BatcherQuestion[],
): (BatcherAnswers[BatcherQuestion['about']] | typeof NOT_YET)[] {
  const nowMs = Date.now();
  return questions.map((question) => {
    switch (question.about) {
      case 'status':
        return statusOf(state, info);
      case 'request':
        return {
          ...traceOf(state, question.requestId),
          ...(question.withWaits && { waits: waitsOf(state, question.requestId, nowMs) }),
        };
      case 'keys':
        if (state.takeOver) return NOT_YET;
        return question.keys.map((key) => bodyOf(state, key, nowMs));
      case 'stream':
        if (state.takeOver) return NOT_YET;
        return progressOf(state, question.key, nowMs);
      case 'layout':
        return state.takeOver ? NOT_YET : state.layout;
      case 'waits':
        return bufferWaitsOf(state, nowMs);
      case 'buffer':
        return bufferSampleOf(state, info.workflowId);
      case 'controls':
        return state.controls;
    }
  });
}

/** The answer about requests once they are accepted, or found to be known. */
export function takeAnswers(
  state: BatcherState,
  requests: readonly AcceptedRequest[],
  nowMs: number,
): TakeAnswer[] {
  return requests.map((request) => {
    const { digest, part } = request;
    if (isOutdated(state, request)) return { isOutdated: true };
    const stream = part && progressOf(state, part, nowMs);
    if (state.takeOver && stream === null) return { isNotYet: true };
    return {
      ...(digest !== undefined && { body: bodyOf(state, digest, nowMs) }),
      ...(stream !== undefined && { stream }),
    };
  });
}
