import { SAVE_ACTIVITY, type SaveShape } from '../../src/contracts/workflow/settings';
import { countCuts } from '../../src/domain/explain/cut-counts';
import { HELD_UP, PACED, withReasons, type ExplainedFlush } from '../../src/domain/explain/cut-reason';
import { WHY_NO_LARGER } from '../../src/domain/explain/why-no-larger';
import type { Flush } from '../../src/domain/buffer/flush-policy';
import { batchesTogether, groupFlushes } from './child-bounds';
import { takeFlushesOfScope } from './conflict-scope';
import { decideStarts, noteStarts } from './save-shape';
import { flushPolicyOf } from './free-slots';
import type { BatcherState } from './state';

/** The batches of children that are to start now, one list per child. */
export interface NextChildren {
  shape: SaveShape;
  children: ExplainedFlush[][];
}

/**
 * Takes the batches that may start now out of the buffer, for at most so many children and about so many bytes.
 *
 * To be called until it gives none: how many batches are ready is known for certain only once they are cut, and those
 * that the first count missed may start as well, perhaps in the other shape.
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
 * Notes what is known of batches only as they leave the buffer: what they are like, and why each that isn't full holds no
 * more. To be told of all that leave, in their order, right after they have left.
 */
export function noteCuts(state: BatcherState, flushes: readonly Flush[], nowMs: number): ExplainedFlush[] {
  const { head } = state.buffer;
  const policy = flushPolicyOf(state);
  countCuts(state.cuts, state.reaches, flushes, head, policy);
  const told = withReasons(flushes, head, policy, nowMs);
  const why = state.pace?.values !== undefined ? PACED : state.apart !== null ? HELD_UP : undefined;
  return why === undefined ? told : told.map((flush) => sayHeldUp(flush, why));
}

/** What would have fitted and stayed was not free to go: in scope `running` it would be in the batch otherwise. */
function sayHeldUp({ cut, ...flush }: ExplainedFlush, why: typeof HELD_UP | typeof PACED): ExplainedFlush {
  if (cut === undefined) return flush;
  return { ...flush, cut: cut.why === WHY_NO_LARGER.spread ? { ...cut, why } : cut };
}
