import { withReasons } from '../src/domain/explain/cut-reason';
import type { Flush } from '../src/domain/flush-policy';
import { flushPolicyOf, type BatcherState } from './batcher-state';

/** Notes what is known of batches only as they leave the buffer: why each that isn't full holds no more. */
export function noteCuts(state: BatcherState, flushes: readonly Flush[], nowMs: number): Flush[] {
  return withReasons(flushes, state.buffer.head, flushPolicyOf(state), nowMs);
}
