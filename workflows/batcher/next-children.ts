import { SAVE_ACTIVITY, type SaveShape } from '../../src/contracts/settings';
import type { Flush } from '../../src/domain/flush-policy';
import { batchesTogether, groupFlushes } from './child-bounds';
import { takeFlushesOfScope } from './conflict-scope';
import { noteCuts } from './cut-notes';
import { decideStarts, noteStarts } from './save-shape';
import type { BatcherState } from './state';

/** The batches of children that are to start now, one list per child. */
export interface NextChildren {
  shape: SaveShape;
  children: Flush[][];
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
