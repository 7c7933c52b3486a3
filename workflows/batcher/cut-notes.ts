import { countCuts } from '../../src/domain/explain/cut-counts';
import { HELD_UP, withReasons } from '../../src/domain/explain/cut-reason';
import { WHY_NO_LARGER } from '../../src/domain/explain/why-no-larger';
import type { Flush } from '../../src/domain/flush-policy';
import { flushPolicyOf, type BatcherState } from './state';

/**
 * Notes what is known of batches only as they leave the buffer: what they are like, and why each that isn't full holds no
 * more. To be told of all that leave, in their order, right after they have left.
 */
export function noteCuts(state: BatcherState, flushes: readonly Flush[], nowMs: number): Flush[] {
  const { head } = state.buffer;
  const policy = flushPolicyOf(state);
  countCuts(state.cuts, state.reaches, flushes, head, policy);
  const told = withReasons(flushes, head, policy, nowMs);
  return state.apart === null ? told : told.map(sayHeldUp);
}

/** In scope `running` whatever may go is in a batch: what would have fitted and stayed was not free to go. */
function sayHeldUp({ cut, ...flush }: Flush): Flush {
  if (cut === undefined) return flush;
  return { ...flush, cut: cut.why === WHY_NO_LARGER.spread ? { ...cut, why: HELD_UP } : cut };
}
