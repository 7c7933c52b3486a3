import { counted } from '../../../src/domain/format';
import { oldestAcceptedAtMs, sizeOf } from '../../../src/domain/buffer/paged-buffer';
import { batchesInFlight } from '../run/in-flight';
import type { BatcherState } from '../run/state';

/**
 * The batcher's current details in Temporal's Web UI, in Markdown: how it is and why, what waits, what has been done. Times
 * are absolute, as the text is shown until the batcher does something again.
 * @param wakeAtMs when the batcher looks again by itself; undefined if only a message or the end of a batch wakes it
 */
export function describeBatcher(state: BatcherState, nowMs: number, wakeAtMs: number | undefined): string {
  const { buffer, counters, settings } = state;
  const { saved, rolledBack, retries, batchesFailed, lost } = counters;
  const { records } = sizeOf(buffer);
  const oldestMs = oldestAcceptedAtMs(buffer);
  const since = oldestMs === null ? '' : `, the oldest since ${timeOf(oldestMs)}`;
  return [
    reasonOf(state, nowMs, wakeAtMs),
    `${counted(records, 'record')} buffered${since} · ${batchesInFlight(state)} of ${counted(settings.maxInFlight, 'batch')} in flight`,
    [
      `${saved} saved`,
      `${rolledBack} rolled back`,
      counted(retries, 'retry'),
      `${counted(batchesFailed, 'batch')} ended early`,
      ...(lost === 0 ? [] : [`${lost} lost`]),
    ].join(' · '),
  ].join('\n\n');
}

/** The first that applies, in the order in which they keep batches from starting. */
function reasonOf(state: BatcherState, nowMs: number, wakeAtMs: number | undefined): string {
  const { buffer, paused, settings, store, takeOver } = state;
  const inFlight = batchesInFlight(state);
  if (paused !== null)
    return `**Paused** by ${paused.by} since ${timeOf(paused.atMs)}: no batch starts until somebody resumes it`;
  const away = store.status(nowMs);
  if (away?.holdsBack === true)
    return `**Store away** since ${timeOf(away.sinceMs)}: ${away.reason}; batches wait until it is back`;
  if (takeOver) return '**Starting**: looks for batches that an earlier run left';
  if (sizeOf(buffer).records === 0) return inFlight === 0 ? '**Idle**: nothing waits' : '**Saving**';
  if (inFlight >= settings.maxInFlight)
    return '**Held up**: MAX_IN_FLIGHT batches are in flight; the next one starts when one of them closes';
  if (wakeAtMs !== undefined) return `**Waiting**: looks for the next batch at ${timeOf(wakeAtMs)}`;
  if (state.apart !== null)
    return '**Held up**: everything buffered conflicts with batches in flight, and starts when they close';
  return '**Saving**: the next batch starts when one in flight makes room';
}

/** Never throws, although some of these times come in messages, which may contain anything. */
function timeOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'an unknown time' : date.toISOString();
}
