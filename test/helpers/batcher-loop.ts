import type { WorkflowInfo } from '@temporalio/workflow';
import { CHILD_CLOSING, type ChildClosing } from '../../src/contracts/workflow/activities';
import { RUN_LIMITS, type BatcherInput } from '../../src/contracts/workflow/batcher';
import type { ClosedBatches } from '../../src/contracts/workflow/child';
import { SAVE_ACTIVITY, type PipelineSettings, type SaveShape } from '../../src/contracts/workflow/settings';
import { childIdOf, childSeqOf } from '../../src/domain/records/batch';
import type { Flush } from '../../src/domain/buffer/flush-policy';
import { holdFor, takeOnScope } from '../../workflows/batcher/children/conflict-scope';
import { takeNextChildren } from '../../workflows/batcher/children/next-children';
import { recordClosing } from '../../workflows/batcher/run/in-flight';
import { restoreBatcher, type BatcherState } from '../../workflows/batcher/run/state';
import { TEST_SETTINGS } from './test-settings';

/*
 * What the loop of a batcher does, without the workflow around it: for tests of the state that it works on.
 */

export function infoOf(of: Partial<WorkflowInfo> = {}): WorkflowInfo {
  return {
    workflowId: 'batcher-0',
    historyLength: 3,
    historySize: 1000,
    continueAsNewSuggested: false,
    runStartTime: new Date(0),
    ...of,
  } as WorkflowInfo;
}

export function newState(settings: Partial<PipelineSettings> = {}, nowMs = 0): BatcherState {
  return stateFrom({ settings: { ...TEST_SETTINGS, ...settings }, limits: RUN_LIMITS }, nowMs);
}

/** The state of a run that begins with this input, as it arrives through JSON. */
export function stateFrom(input: BatcherInput, nowMs = 0): BatcherState {
  const arrived = JSON.parse(JSON.stringify(input)) as BatcherInput;
  const state = restoreBatcher(arrived, infoOf());
  takeOnScope(state, arrived.carried, nowMs);
  return state;
}

/** A child that has started. */
export interface Started {
  childId: string;
  shape: SaveShape;
  flushes: Flush[];
}

/** Lets start what may. */
export function startBatches(state: BatcherState, nowMs: number): Started[] {
  const started: Started[] = [];
  for (;;) {
    const { shape, children } = takeNextChildren(state, nowMs, { children: Infinity, bytes: Infinity });
    if (children.length === 0) return started;
    for (const flushes of children) started.push(start(state, flushes, shape, nowMs));
  }
}

function start(state: BatcherState, flushes: Flush[], shape: SaveShape, nowMs: number): Started {
  const seq = state.nextChildSeq++;
  const childId = childIdOf('batcher-0', seq);
  const records = flushes.flatMap((flush) => flush.records);
  holdFor(state, seq, records);
  state.inFlight.set(childId, {
    childId,
    batches: flushes.length,
    records: records.length,
    bulk: shape === SAVE_ACTIVITY.batch,
    startedAtMs: nowMs,
    requestIds: [...new Set(records.map(({ requestId }) => requestId))],
  });
  state.counters.batchesStarted += flushes.length;
  state.lastBatchStartedAtMs = nowMs;
  return { childId, shape, flushes };
}

export function closing(of: Partial<ChildClosing> = {}): ChildClosing {
  return { status: CHILD_CLOSING.completed, batches: 1, saved: 0, rolledBack: 0, retries: 0, ...of };
}

/** Ends a child; one of a batch that completed, unless the closing says otherwise. */
export function endChild(state: BatcherState, childId: string, nowMs: number, of?: ChildClosing): void {
  recordClosing(state, childId, of ?? closing({ batches: state.inFlight.get(childId)?.batches ?? 1 }));
  state.apart?.held.end(childSeqOf(childId), nowMs);
}

export function progress(of: Partial<ClosedBatches> = {}): ClosedBatches {
  return { batches: 0, saved: 0, rolledBack: 0, retries: 0, ...of };
}
