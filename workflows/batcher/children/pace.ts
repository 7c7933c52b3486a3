import type { PaceStatus } from '../../../src/contracts/workflow/batcher-status';
import { inOrder, type RecordBuffer } from '../../../src/domain/buffer/buffer';
import { readyBatches } from '../../../src/domain/buffer/flush-policy';
import { Pace } from '../../../src/domain/pace/pace';
import { paceLimitsOf } from '../../../src/domain/pace/pace-limits';
import { readyPacedBatches } from '../../../src/domain/pace/paced-flushes';
import { Standings } from '../../../src/domain/pace/standings';
import { flushPolicyOf } from './free-slots';
import type { BatcherState } from '../run/state';

/** Applies the pace in the settings. */
export function followPace(state: BatcherState, nowMs: number): void {
  const { maxSavesPerSecond, maxBatchSize } = state.settings;
  const limits = paceLimitsOf(maxSavesPerSecond);
  state.pace =
    state.pace === null
      ? Pace.under(limits, maxBatchSize)
      : state.pace.changedTo(limits, maxBatchSize, nowMs);
}

/** About how many batches may start at once, if there are slots. */
export function readyBatchesAt(state: BatcherState, atMs: number): number {
  const { buffer, pace } = state;
  const policy = flushPolicyOf(state);
  if (pace === null) return readyBatches(buffer.head, policy, atMs);
  return readyPacedBatches(buffer.head, policy, pace, atMs);
}

/** Whether there are records, all of which the rate of their value holds back. */
export function isPacedUp(head: RecordBuffer, pace: Pace | null, nowMs: number): boolean {
  if (pace?.values === undefined || head.bufferedRecords === 0) return false;
  return new Standings(inOrder(head), pace, nowMs).held === head.bufferedRecords;
}

/** What the pace holds back; null without a limit. */
export function paceStatusOf({ pace, buffer: { head } }: BatcherState, nowMs: number): PaceStatus | null {
  if (pace === null) return null;
  const records = inOrder(head);
  const standings = new Standings(records, pace, nowMs);
  const free = Math.min(pace.batchSize, head.bufferedRecords - standings.held);
  const roomFromMs = free > 0 ? pace.roomFromMs(free) : -Infinity;
  const times = [...records.map((record) => standings.fromMs(record) ?? -Infinity), roomFromMs];
  const untilMs = times.reduce((least, time) => (time > nowMs ? Math.min(least, time) : least), Infinity);
  const room = pace.room(nowMs);
  return {
    room: room === Infinity ? null : room,
    values: pace.values?.buckets.count(nowMs) ?? 0,
    heldRecords: standings.held,
    untilMs: untilMs === Infinity ? null : untilMs,
  };
}
