import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import type { JsonValue } from '../../src/domain/json';
import { recordIdOf } from '../../src/domain/records/record';
import { nextWakeAtMs } from '../../workflows/batcher/children/conflict-scope';
import { takeRequest } from '../../workflows/batcher/messages/requests';
import { carriedFrom, type BatcherState } from '../../workflows/batcher/run/state';
import { endChild, newState, startBatches, stateFrom } from './batcher-loop';

export interface Arrival {
  atMs: number;
  values: JsonValue[];
}

/** A record that has started. */
export interface StartedRecord {
  id: string;
  value: JsonValue;
  acceptedAtMs: number;
  startedAtMs: number;
  /** Number of its batch, and when that ended. */
  batch: number;
  endedAtMs: number;
}

export interface Lived {
  started: StartedRecord[];
  batches: StartedRecord[][];
  /** How often the loop's timer fired and nothing started then. */
  idleWakes: number;
  endMs: number;
  state: BatcherState;
}

/**
 * Lives through arrivals as the loop of a batcher does: looks when something arrives, when a child ends, and when its own
 * timer fires. Ends when nothing is left, or at `untilMs`.
 *
 * @param batchMs how long a child takes
 * @param handOverEvery after how many looks the state is carried to another run
 */
export function live(
  settings: Partial<PipelineSettings>,
  arrivals: readonly Arrival[],
  { batchMs, handOverEvery, untilMs }: { batchMs: number; handOverEvery: number; untilMs: number },
): Lived {
  let nowMs = arrivals[0]?.atMs ?? 0;
  let state = newState(settings, nowMs);
  const ends = new Map<string, number>();
  const batches: StartedRecord[][] = [];
  let arrived = 0;
  let idleWakes = 0;
  for (let look = 1; ; look++) {
    if (look % handOverEvery === 0) state = nextRunOf(state, nowMs);
    for (let next = arrivals[arrived]; next !== undefined && next.atMs <= nowMs; next = arrivals[++arrived])
      takeRequest(state, { requestId: `r${arrived}`, values: next.values }, nowMs);
    for (const [childId, endMs] of ends)
      if (endMs <= nowMs) {
        endChild(state, childId, nowMs);
        ends.delete(childId);
      }
    let isIdle = true;
    for (const { childId, flushes } of startBatches(state, nowMs)) {
      isIdle = false;
      ends.set(childId, nowMs + batchMs);
      for (const { records } of flushes)
        batches.push(
          records.map(({ requestId, index, value, acceptedAtMs }) => ({
            id: recordIdOf(requestId, index),
            ...{ value, acceptedAtMs },
            startedAtMs: nowMs,
            batch: batches.length,
            endedAtMs: nowMs + batchMs,
          })),
        );
    }
    const wakeMs = nextWakeAtMs(state, nowMs) ?? Infinity;
    if (wakeMs <= nowMs) throw new Error(`At ${nowMs}, the timer is for ${wakeMs}: it never stops firing.`);
    const othersMs = Math.min(arrivals[arrived]?.atMs ?? Infinity, ...ends.values());
    const nextMs = Math.min(wakeMs, othersMs);
    if (nextMs === Infinity || nextMs > untilMs)
      return { started: batches.flat(), batches, idleWakes, endMs: nowMs, state };
    if (isIdle && nextMs === wakeMs && wakeMs < othersMs) idleWakes++;
    nowMs = nextMs;
  }
}

function nextRunOf(state: BatcherState, nowMs: number): BatcherState {
  const { configured: settings, limits } = state;
  return stateFrom({ settings, limits, carried: carriedFrom(state) }, nowMs);
}

/** The most that a rate is exceeded by in any time, beyond what it allows in it; more than a second and a batch are wrong. */
export function mostBeyond(startedAtMs: readonly number[], perSecond: number): number {
  let beyond = 0;
  let most = 0;
  let lastMs = startedAtMs[0] ?? 0;
  for (const atMs of startedAtMs) {
    beyond = Math.max(0, beyond - (perSecond * (atMs - lastMs)) / 1000) + 1;
    most = Math.max(most, beyond);
    lastMs = atMs;
  }
  return most;
}
