import type { temporal } from '@temporalio/proto';
import { SECOND } from '../../domain/duration';

/** A poll is held for at most 60 s: whoever hasn't polled for longer is gone, though Temporal lists it for five minutes. */
const POLLED_WITHIN_MS = 70 * SECOND;

/** A process that polls a task queue. */
export interface Poller {
  identity: string;
  /** Null where it has none. */
  buildId: string | null;
  polledAtMs: number;
}

/** The processes that poll a task queue now. */
export function recentPollers(
  pollers: readonly temporal.api.taskqueue.v1.IPollerInfo[],
  nowMs = Date.now(),
): Poller[] {
  return pollers.flatMap(({ identity, lastAccessTime, deploymentOptions }) => {
    const polledAtMs = msOf(lastAccessTime) ?? 0;
    if (polledAtMs < nowMs - POLLED_WITHIN_MS) return [];
    return [{ identity: identity ?? '', buildId: deploymentOptions?.buildId || null, polledAtMs }];
  });
}

/** A time or a duration as the server gives it, in milliseconds. */
export function msOf(
  time: { seconds?: { toNumber(): number } | null; nanos?: number | null } | null | undefined,
): number | undefined {
  if (time == null) return undefined;
  return (time.seconds?.toNumber() ?? 0) * SECOND + Math.floor((time.nanos ?? 0) / 1e6);
}
