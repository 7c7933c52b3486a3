import { MINUTE } from '../duration';
import { MAX_SHARDS } from '../limits';
import { minuteOf } from './key-window';

/*
 * An idempotency key must be looked up in the shard that accepted it. Which shard that is depends on the number of shards
 * (SHARDS), which may change; during a rolling restart, processes have two different numbers. So a single layout is in
 * force for requests with keys: that of the process that started last. It lists the earlier numbers of shards for as long
 * as keys accepted under them are remembered. Batchers learn a layout before it is used, and accept nothing more under an
 * older one. A process that uses a layout first looks up keys in the shards of the earlier ones. Shard 0, which is in
 * every layout, puts layouts in order that are introduced at the same time.
 */
export interface Layout {
  /** See {@link rankOf}. */
  version: number;
  shards: number;
  /**
   * Earlier numbers of shards, each with the last minute since the epoch in which a batcher accepted requests under
   * it.
   */
  before: [shards: number, untilMinute: number][];
}

/** The layout before the first request with a key. */
export const NO_LAYOUT: Layout = { version: 0, shards: 0, before: [] };

/** The layout in force of two known ones, with the earlier numbers of shards of both. */
export function mergeLayouts(a: Layout, b: Layout): Layout {
  const inForce = rankOf(b) > rankOf(a) ? b : a;
  const until = new Map<number, number>();
  for (const [shards, minute] of [...a.before, ...b.before]) {
    if (shards !== inForce.shards) until.set(shards, Math.max(minute, until.get(shards) ?? 0));
  }
  const { version, shards } = inForce;
  return { version, shards, before: [...until].sort(([one], [other]) => one - other) };
}

/**
 * The layout of a batcher after it has received one. If the layout in force changes, the older one was in use until now.
 * @param windowMs how long keys are remembered
 */
export function adoptLayout(known: Layout, received: Layout, windowMs: number, nowMs: number): Layout {
  const merged = mergeLayouts(known, received);
  const ended = [known, received].filter(({ shards }) => shards > 0 && shards !== merged.shards);
  const used = ended.map(({ shards }): [number, number] => [shards, minuteOf(nowMs)]);
  const { before, ...inForce } = mergeLayouts(merged, { ...NO_LAYOUT, before: used });
  return { ...inForce, before: before.filter(([, minute]) => (minute + 1) * MINUTE + windowMs > nowMs) };
}

/**
 * The layout of a process that starts with this number of shards, given the layout in force, which was in use until now. Not
 * every batcher that will be in use may know that: one may be new.
 */
export function nextLayout(found: Layout, shards: number, nowMs: number): Layout {
  if (found.shards === shards) return found;
  const before: Layout['before'] =
    found.shards === 0 ? found.before : [...found.before, [found.shards, minuteOf(nowMs)]];
  return mergeLayouts({ version: found.version + 1, shards, before }, NO_LAYOUT);
}

/** Whether two layouts look up keys in the same shards. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  const counts = ({ before }: Layout) => before.map(([shards]) => shards).join();
  return a.version === b.version && a.shards === b.shards && counts(a) === counts(b);
}

/** The number of shards that may have keys: the greatest number in force now or earlier. */
export function shardsWithKeys({ shards, before }: Layout): number {
  return Math.max(shards, ...before.map(([count]) => count));
}

/** The layout with the greater rank is in force: the one with the greater version or, with equal versions, with more shards. */
export function rankOf({ version, shards }: Layout): number {
  return version * (MAX_SHARDS + 1) + shards;
}
