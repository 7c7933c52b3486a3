import { CONFLICT_SCOPE } from '../../src/contracts/workflow/settings';
import type { CarriedState } from '../../src/contracts/workflow/batcher';
import { Held } from '../../src/domain/running/held';
import { Holds } from '../../src/domain/running/holds';
import { isHeldUp, nextRunningFlushAtMs, takeRunningFlushes } from '../../src/domain/running/running-flushes';
import { childSeqOf } from '../../src/domain/records/batch';
import type { BufferedRecord } from '../../src/domain/buffer/buffer';
import { ruleKey } from '../../src/domain/rules/rule';
import { KIB } from '../../src/domain/duration';
import { nextFlushAtMs, takeFlushes, type Flush } from '../../src/domain/buffer/flush-policy';
import { nextPacedFlushAtMs, takePacedFlushes } from '../../src/domain/pace/paced-flushes';
import { mayStartFromMs } from './save-shape';
import { batchesInFlight } from './in-flight';
import { flushPolicyOf, spacedUntilMs } from './free-slots';
import { isPacedUp } from './pace';
import type { BatcherState } from './state';

/** Takes on what the run before knew of conflicts. Where it knew nothing, as in scope `file`, all that runs are strangers. */
export function takeOnScope(state: BatcherState, carried: CarriedState | undefined, nowMs: number): void {
  if (!isRunningScope(state)) return;
  const { conflicts, apartMs } = state.settings;
  if (carried === undefined) state.apart = { holds: new Holds(conflicts), held: new Held(apartMs) };
  else if (carried.held === undefined) startWithStrangers(state, nowMs);
  else {
    const held = Held.unpack(carried.held, apartMs, seqsInFlight(state));
    state.apart = { holds: new Holds(conflicts), held };
  }
}

/**
 * Puts the scope in force that the settings now say. Where it, `apartMs` or the rules are others than before, nobody knows
 * what batches in flight hold by these: what the rules touch starts when all those have ended, and nothing has for `apartMs`.
 */
export function followScope(state: BatcherState, nowMs: number): void {
  if (!isRunningScope(state)) {
    state.apart = null;
    return;
  }
  const { conflicts, apartMs } = state.settings;
  const { apart } = state;
  const isTheSame =
    apart !== null && apart.held.apartMs === apartMs && ruleKey(apart.holds.rules) === ruleKey(conflicts);
  if (!isTheSame) startWithStrangers(state, nowMs);
}

/** Takes the batches that may start now out of the buffer, by the rules of the scope in force and by the pace. */
export function takeFlushesOfScope(
  state: BatcherState,
  nowMs: number,
  limit: number,
  maxBytes: number,
): Flush[] {
  const { buffer, apart, pace } = state;
  const policy = flushPolicyOf(state);
  let flushes: Flush[];
  if (apart !== null) flushes = takeRunningFlushes(buffer.head, policy, apart, nowMs, limit, maxBytes, pace);
  else if (pace !== null) flushes = takePacedFlushes(buffer.head, policy, pace, nowMs, limit, maxBytes);
  else flushes = takeFlushes(buffer.head, policy, nowMs, limit, maxBytes);
  for (const { records } of flushes) pace?.start(records, nowMs);
  return flushes;
}

/** When the loop has to look again if no message arrives and no child ends, in milliseconds since the epoch. */
export function nextWakeAtMs(state: BatcherState, nowMs: number): number | undefined {
  const flushAtMs = nextFlushAtMsOfScope(state, nowMs);
  if (flushAtMs === undefined) return undefined;
  const wakeAtMs =
    state.settings.batchSpacingMs === 0 ? flushAtMs : Math.max(flushAtMs, spacedUntilMs(state));
  return mayStartFromMs(state, wakeAtMs);
}

/** When there is something to take at the earliest, if nothing arrives and no batch ends before; undefined for never. */
function nextFlushAtMsOfScope(state: BatcherState, nowMs: number): number | undefined {
  const { buffer, apart, pace } = state;
  const policy = flushPolicyOf(state);
  if (apart !== null) return nextRunningFlushAtMs(buffer.head, policy, apart, nowMs, pace);
  if (pace !== null) return nextPacedFlushAtMs(buffer.head, policy, pace, nowMs);
  return nextFlushAtMs(buffer.head, policy, nowMs);
}

/** Notes what the batches of a child that starts hold. */
export function holdFor({ apart }: BatcherState, seq: number, records: readonly BufferedRecord[]): void {
  apart?.held.begin(seq, apart.holds.ofAll(records));
}

/** Beyond it, what waits behind records that are held up waits in its pages. */
const LOOK_AHEAD_BYTES = 128 * KIB;

/**
 * Whether to look for records that may go in the next page, as none of the head may. Only by a run that has grown by less
 * than half of what it may: one that took in page after page to find nothing would move them all out again, and so would
 * the next.
 */
export function looksAhead(state: BatcherState, historySize: number, nowMs: number): boolean {
  const { apart, buffer, limits, pace, settings } = state;
  return (
    (apart !== null || pace?.values !== undefined) &&
    buffer.pages.length > 0 &&
    buffer.head.bufferedBytes < LOOK_AHEAD_BYTES &&
    historySize - state.initialHistoryBytes < limits.historyBytes / 2 &&
    batchesInFlight(state) < settings.maxInFlight &&
    (apart === null
      ? isPacedUp(buffer.head, pace, nowMs)
      : isHeldUp(buffer.head, flushPolicyOf(state), apart, nowMs, pace))
  );
}

function isRunningScope({ settings }: BatcherState): boolean {
  return settings.conflictScope === CONFLICT_SCOPE.running;
}

/** Keeps what the rules touch from starting until all that is in flight now has ended: nobody knows what it holds. */
export function startWithStrangers(state: BatcherState, nowMs: number): void {
  if (!isRunningScope(state)) return;
  const { conflicts, apartMs } = state.settings;
  const held = Held.amongStrangers(apartMs, seqsInFlight(state), state.nextChildSeq, nowMs);
  state.apart = { holds: new Holds(conflicts), held };
}

function seqsInFlight({ inFlight }: BatcherState): number[] {
  return [...inFlight.keys()].map(childSeqOf);
}
