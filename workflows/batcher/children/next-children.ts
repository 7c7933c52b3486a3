import { SAVE_ACTIVITY, type SaveShape } from '../../../src/contracts/workflow/settings';
import { countCuts } from '../../../src/domain/explain/cut-counts';
import { HELD_UP, PACED, withReasons, type ExplainedFlush } from '../../../src/domain/explain/cut-reason';
import { WHY_NO_LARGER } from '../../../src/domain/explain/why-no-larger';
import type { Flush } from '../../../src/domain/buffer/flush-policy';
import { batchesTogether, groupFlushes } from './child-bounds';
import { takeFlushesOfScope } from './conflict-scope';
import { decideStarts, noteStarts } from './save-shape';
import { flushPolicyOf } from './free-slots';
import type { BatcherState } from '../run/state';

/** The batches of children that are to start now, one list per child. */
export interface NextChildren {
  shape: SaveShape;
  children: ExplainedFlush[][];
}

/**
 * Takes the batches that may start now out of the buffer, within bounds of children (exact) and bytes (approximate).
 * Call it until it returns none: how many batches are ready is certain only once they are cut, and those that the first
 * count missed may start as well, perhaps in the other shape.
 */
export function takeNextChildren(
  state: BatcherState,
  nowMs: number,
  { children, bytes }: { children: number; bytes: number },
): NextChildren {
  const starts = decideStarts(state, nowMs);
  const { shape, limit } = starts;
  const inBulk = shape === SAVE_ACTIVITY.batch;
  const most = children * (inBulk ? batchesTogether(state.settings) : 1);
  const flushes = takeFlushesOfScope(state, nowMs, Math.min(limit, most), bytes);
  noteStarts(state, starts, flushes.length, nowMs);
  const noted = noteCuts(state, flushes, nowMs);
  return { shape, children: inBulk ? groupFlushes(noted, state.settings) : noted.map((flush) => [flush]) };
}

/**
 * Records what can be known only when batches leave the buffer: their figures, and why each partial batch isn't larger.
 * Call it for all batches, in order, right after they left.
 */
export function noteCuts(state: BatcherState, flushes: readonly Flush[], nowMs: number): ExplainedFlush[] {
  const { head } = state.buffer;
  const policy = flushPolicyOf(state);
  countCuts(state.cuts, state.reaches, flushes, head, policy);
  const told = withReasons(flushes, head, policy, nowMs);
  const why = state.pace?.values !== undefined ? PACED : state.apart !== null ? HELD_UP : undefined;
  return why === undefined ? told : told.map((flush) => sayHeldUp(flush, why));
}

/**
 * Records that would have fitted but stayed were not free to start: in scope `running` they would otherwise be in the
 * batch.
 */
function sayHeldUp({ cut, ...flush }: ExplainedFlush, why: typeof HELD_UP | typeof PACED): ExplainedFlush {
  if (cut === undefined) return flush;
  return { ...flush, cut: cut.why === WHY_NO_LARGER.spread ? { ...cut, why } : cut };
}
