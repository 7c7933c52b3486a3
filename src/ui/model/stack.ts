import type { Point } from '../../contracts/api/answers/live';
import { WAITS_FOR, type WaitsFor } from '../../contracts/workflow/waits';

/** What records wait for, gathered into few groups that can be told apart in a plot; the lowest first. */
export const WAIT_GROUPS = [
  { label: 'to fill up', colour: 'wait', reasons: [WAITS_FOR.age, WAITS_FOR.gathering] },
  {
    label: 'slot',
    colour: 'flight',
    reasons: [WAITS_FOR.slot, WAITS_FOR.start, WAITS_FOR.spacing, WAITS_FOR.pace],
  },
  { label: 'conflict', colour: 'accepted', reasons: [WAITS_FOR.conflict] },
  { label: 'paused, store', colour: 'lost', reasons: [WAITS_FOR.resume, WAITS_FOR.store] },
  { label: 'older records', colour: 'dim', reasons: [WAITS_FOR.olderRecords] },
] as const;

/** How many records wait for the reasons of a group. */
export function waitingFor(point: Point, group: number): number {
  const reasons: readonly WaitsFor[] = WAIT_GROUPS[group]?.reasons ?? [];
  return reasons.reduce((sum, reason) => sum + (point.waits[reason] ?? 0), 0);
}

/** The same with all groups below it: the upper edge of its layer. */
export function edgeOf(point: Point, group: number): number {
  return WAIT_GROUPS.slice(0, group + 1).reduce((sum, _, below) => sum + waitingFor(point, below), 0);
}

/** The codes with the most refusals in these points, at most so many. */
export function mostRefused(points: readonly Point[], most: number): string[] {
  const sums = new Map<string, number>();
  for (const { refused } of points)
    for (const [code, rate] of Object.entries(refused)) sums.set(code, (sums.get(code) ?? 0) + rate);
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([code]) => code);
}
