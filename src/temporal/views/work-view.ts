import type { BatchWorkView } from '../../contracts/api/views';
import { WAITS_FOR, type Wait } from '../../contracts/workflow/waits';
import type { PendingWork } from '../children/batch-work';

/** How far the save of a record has come that has an activity of its own. */
export function saveOf(pending: readonly PendingWork[], recordId: string): PendingWork | undefined {
  return pending.find((work) => work.recordId === recordId);
}

/**
 * What repeats or waits. Saves of single records stand beside their records, but for the one that tells that the store is
 * away.
 */
export function workViews(pending: readonly PendingWork[]): BatchWorkView[] {
  const save = pending.find(({ recordId, away }) => recordId !== undefined && away !== undefined);
  const others = pending.filter(
    ({ recordId, away, attempt }) => recordId === undefined && (away !== undefined || attempt > 1),
  );
  return [...(save === undefined ? [] : [save]), ...others].map(workView);
}

function workView({ step, attempt, error, away }: PendingWork): BatchWorkView {
  if (away !== undefined) {
    const since = new Date(away.sinceMs).toISOString();
    const text = `${step}: waits for the store, which is away since ${since}: ${away.reason}`;
    return { text, step, attempt, error: away.reason, waitsForStoreSince: since };
  }
  const text = `${step}, attempt ${attempt}: the one before failed${error === undefined ? '' : `: ${error}`}`;
  return { text, step, attempt, error: error ?? null, waitsForStoreSince: null };
}

/** What a record waits for whose batch has started, where that is a store that is away. */
export function storeWaitOf(pending: readonly PendingWork[], recordId: string): Wait | undefined {
  const away = (saveOf(pending, recordId) ?? pending.find((work) => work.away !== undefined))?.away;
  if (away === undefined) return undefined;
  return { for: WAITS_FOR.store, sinceMs: away.sinceMs, reason: away.reason };
}

/** Why what is done for a batch as a whole failed the last time. */
export function troubleOf(pending: readonly PendingWork[]): string | undefined {
  const failed = pending.find(({ recordId, error }) => recordId === undefined && error !== undefined);
  return failed && `${failed.step}, attempt ${failed.attempt}: ${failed.error}`;
}
