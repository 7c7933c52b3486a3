import type { BatchWorkView } from '../../contracts/api/answers/batches';
import { WAITS_FOR, type Wait } from '../../contracts/workflow/waits';
import type { PendingWork } from '../children/batch-work';

/** The unfinished save of a record, if the record is saved by its own activity. */
export function saveOf(pending: readonly PendingWork[], recordId: string): PendingWork | undefined {
  return pending.find((work) => work.recordId === recordId);
}

/**
 * Activities that are being retried or are waiting. Saves of single records are shown with their records, except one that
 * reports that the store is unavailable.
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
    const text = `${step}: waits for the store, unavailable since ${since}: ${away.reason}`;
    return { text, step, attempt, error: away.reason, waitsForStoreSince: since };
  }
  const text = `${step}, attempt ${attempt}, because the previous one failed${error === undefined ? '' : `: ${error}`}`;
  return { text, step, attempt, error: error ?? null, waitsForStoreSince: null };
}

/** What a record in a started batch waits for, if that is an unavailable store. */
export function storeWaitOf(pending: readonly PendingWork[], recordId: string): Wait | undefined {
  const away = (saveOf(pending, recordId) ?? pending.find((work) => work.away !== undefined))?.away;
  if (away === undefined) return undefined;
  return { for: WAITS_FOR.store, sinceMs: away.sinceMs, reason: away.reason };
}

/** Why the last attempt of an activity for the whole batch failed. */
export function troubleOf(pending: readonly PendingWork[]): string | undefined {
  const failed = pending.find(({ recordId, error }) => recordId === undefined && error !== undefined);
  return failed && `${failed.step}, attempt ${failed.attempt}: ${failed.error}`;
}
