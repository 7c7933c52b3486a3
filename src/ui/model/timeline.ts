import type { BatchSummary } from '../../contracts/api/answers/batches';
import { SECOND } from '../../domain/duration';

/** A batch where it stands in the picture: `from` and `to` are shares of its width, 0 to 1. */
export interface Bar {
  batch: BatchSummary;
  lane: number;
  from: number;
  to: number;
}

export interface Timeline {
  bars: Bar[];
  lanes: number;
  fromMs: number;
  toMs: number;
}

/** What a batch looks like. */
export type Look = 'running' | 'saved' | 'mixed' | 'lost';

/** Narrower bars can't be seen or clicked. */
const LEAST_WIDTH = 0.006;

/**
 * Batches in lanes, so that no two in one lane overlap: each goes to the first lane that is free when it starts. As
 * narrow as they are, a gap stays between them.
 */
export function timelineOf(batches: readonly BatchSummary[], nowMs: number): Timeline {
  const spans = batches
    .map((batch) => ({
      batch,
      startMs: Date.parse(batch.startedAt),
      endMs: batch.closedAt === null ? nowMs : Date.parse(batch.closedAt),
    }))
    .sort((a, b) => a.startMs - b.startMs);
  const fromMs = Math.min(nowMs - 10 * SECOND, ...spans.map(({ startMs }) => startMs));
  const toMs = Math.max(
    fromMs + SECOND,
    ...spans.map(({ endMs }) => endMs),
    ...(spans.some(({ batch }) => batch.closedAt === null) ? [nowMs] : []),
  );
  const share = (ms: number) => (ms - fromMs) / (toMs - fromMs);
  const freeFrom: number[] = [];
  const bars = spans.map(({ batch, startMs, endMs }) => {
    const from = Math.min(share(startMs), 1 - LEAST_WIDTH);
    const to = Math.max(share(endMs), from + LEAST_WIDTH);
    const free = freeFrom.findIndex((end) => end <= from);
    const lane = free === -1 ? freeFrom.length : free;
    freeFrom[lane] = to + LEAST_WIDTH / 2;
    return { batch, lane, from, to };
  });
  return { bars, lanes: freeFrom.length, fromMs, toMs };
}

export function lookOf({ state, saved, rolledBack }: BatchSummary): Look {
  if (state === 'running') return 'running';
  if (state === 'failed' || (saved === 0 && rolledBack !== 0)) return 'lost';
  return (rolledBack ?? 0) > 0 ? 'mixed' : 'saved';
}

export const LOOK_TEXT: Record<Look, string> = {
  running: 'running',
  saved: 'all saved',
  mixed: 'some rolled back',
  lost: 'all rolled back, or failed',
};
