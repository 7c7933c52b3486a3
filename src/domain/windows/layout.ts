import { MINUTE } from '../duration';
import { minuteOf } from './key-window';

/*
 * Keys have to be looked for where they were taken. Which shard that is hangs on how many there are, which may change
 * (SHARDS), and while processes are replaced one after another two numbers are in force. So there is one layout for
 * requests with keys, that of the process that started last, with the ones before it for as long as keys of theirs are
 * remembered. Batchers are told of a layout before it is used, and then take nothing more under an older one; whoever
 * uses it asks first where the keys of the others may be. Shard 0 is in every layout: there, two that begin at the same
 * time come one after the other.
 */
export interface Layout {
  /** Of two layouts, the one with the greater version is in force; of two with the same, the one with more shards. */
  version: number;
  shards: number;
  /** Numbers of shards that were in force before, and until which minute since the epoch a batcher took under them. */
  before: [shards: number, untilMinute: number][];
}

/** Before anything was taken under a key. */
export const NO_LAYOUT: Layout = { version: 0, shards: 0, before: [] };

/** What is in force where two are known, with what either knows to have been before. */
export function mergeLayouts(a: Layout, b: Layout): Layout {
  const inForce = isNewer(b, a) ? b : a;
  const until = new Map<number, number>();
  for (const [shards, minute] of [...a.before, ...b.before]) {
    if (shards !== inForce.shards) until.set(shards, Math.max(minute, until.get(shards) ?? 0));
  }
  const { version, shards } = inForce;
  return { version, shards, before: [...until].sort(([one], [other]) => one - other) };
}

/** What a batcher knows once it was told of a layout. Where that differs from what it knew, the older one was in use until now. */
export function adoptLayout(known: Layout, told: Layout, windowMs: number, nowMs: number): Layout {
  const merged = mergeLayouts(known, told);
  const ended = [known, told].filter(({ shards }) => shards > 0 && shards !== merged.shards);
  const used = ended.map(({ shards }): [number, number] => [shards, minuteOf(nowMs)]);
  const { before, ...inForce } = mergeLayouts(merged, { ...NO_LAYOUT, before: used });
  return { ...inForce, before: before.filter(([, minute]) => (minute + 1) * MINUTE + windowMs > nowMs) };
}

/** That of a process that starts, after all that it found. */
export function nextLayout(found: Layout, shards: number): Layout {
  if (found.shards === shards) return found;
  return { version: found.version + 1, shards, before: found.before };
}

/** Whether two lead to the same shards. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  const counts = ({ before }: Layout) => before.map(([shards]) => shards).join();
  return a.version === b.version && a.shards === b.shards && counts(a) === counts(b);
}

/** How many shards may have keys. */
export function reachOf({ shards, before }: Layout): number {
  return Math.max(shards, ...before.map(([count]) => count));
}

function isNewer(a: Layout, b: Layout): boolean {
  return a.version !== b.version ? a.version > b.version : a.shards > b.shards;
}
