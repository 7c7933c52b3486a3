import { CONFLICT_SCOPE } from '../../../src/contracts/workflow/settings';
import type { CarriedState } from '../../../src/contracts/workflow/batcher';
import { Held } from '../../../src/domain/running/held';
import { Holds } from '../../../src/domain/running/holds';
import {
  isHeldUp,
  nextRunningFlushAtMs,
  takeRunningFlushes,
} from '../../../src/domain/running/running-flushes';
import { childSeqOf } from '../../../src/domain/records/batch';
import type { BufferedRecord } from '../../../src/domain/buffer/buffer';
import { ruleKey } from '../../../src/domain/rules/rule';
import { KIB } from '../../../src/domain/duration';
import { nextFlushAtMs, takeFlushes, type Flush } from '../../../src/domain/buffer/flush-policy';
import { nextPacedFlushAtMs, takePacedFlushes } from '../../../src/domain/pace/paced-flushes';
import { mayStartFromMs } from './save-shape';
import { batchesInFlight } from '../run/in-flight';
import { flushPolicyOf, spacedUntilMs } from './free-slots';
import { isPacedUp } from './pace';
import type { BatcherState } from '../run/state';

/**
 * Takes over what the previous run knew about conflicts. If it knew nothing, as in scope `file`, the content of all
 * children in flight is unknown.
 */
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
 * Applies the scope in the settings. If the scope, `apartMs` or the rules changed, it is unknown what the batches in
 * flight hold under them, so records that the rules concern start only when all those batches have ended and `apartMs`
 * is over.
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

/** Takes the batches that may start now out of the buffer, according to the scope and the pace. */
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

/** When the loop must look again if no message arrives and no child ends, in milliseconds since the epoch. */
export function nextWakeAtMs(state: BatcherState, nowMs: number): number | undefined {
  const flushAtMs = nextFlushAtMsOfScope(state, nowMs);
  if (flushAtMs === undefined) return undefined;
  const wakeAtMs =
    state.settings.batchSpacingMs === 0 ? flushAtMs : Math.max(flushAtMs, spacedUntilMs(state));
  return mayStartFromMs(state, wakeAtMs);
}

/**
 * The earliest time at which there is something to take, if nothing arrives and no batch ends before; undefined for
 * never.
 */
function nextFlushAtMsOfScope(state: BatcherState, nowMs: number): number | undefined {
  const { buffer, apart, pace } = state;
  const policy = flushPolicyOf(state);
  if (apart !== null) return nextRunningFlushAtMs(buffer.head, policy, apart, nowMs, pace);
  if (pace !== null) return nextPacedFlushAtMs(buffer.head, policy, pace, nowMs);
  return nextFlushAtMs(buffer.head, policy, nowMs);
}

/** Records what the batches of a starting child hold. */
export function holdFor({ apart }: BatcherState, seq: number, records: readonly BufferedRecord[]): void {
  apart?.held.begin(seq, apart.holds.ofAll(records));
}

/** Beyond it, records behind those that are held back stay in their pages. */
const LOOK_AHEAD_BYTES = 128 * KIB;

/**
 * Whether to look for startable records in the next page, because there are none in the head. Only while a run has
 * grown by less than half of its bound: a run that read page after page in vain would have to move them all out again,
 * and so would the next.
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

/**
 * Holds back records that the rules concern until all batches now in flight have ended, because it is unknown what they
 * hold.
 */
export function startWithStrangers(state: BatcherState, nowMs: number): void {
  if (!isRunningScope(state)) return;
  const { conflicts, apartMs } = state.settings;
  const held = Held.amongStrangers(apartMs, seqsInFlight(state), state.nextChildSeq, nowMs);
  state.apart = { holds: new Holds(conflicts), held };
}

function seqsInFlight({ inFlight }: BatcherState): number[] {
  return [...inFlight.keys()].map(childSeqOf);
}
