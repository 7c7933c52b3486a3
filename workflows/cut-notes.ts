import { countCuts } from '../src/domain/explain/cut-counts';
import { withReasons } from '../src/domain/explain/cut-reason';
import type { Flush } from '../src/domain/flush-policy';
import { flushPolicyOf, type BatcherState } from './batcher-state';

/**
 * Notes what is known of batches only as they leave the buffer: what they are like, and why each that isn't full holds no
 * more. To be told of all that leave, in their order, right after they have left.
 */
export function noteCuts(state: BatcherState, flushes: readonly Flush[], nowMs: number): Flush[] {
  const { head } = state.buffer;
  const policy = flushPolicyOf(state);
  countCuts(state.cuts, state.reaches, flushes, head, policy);
  return withReasons(flushes, head, policy, nowMs);
}
