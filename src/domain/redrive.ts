import { requestIdOf } from './records/record';

/*
 * A rolled-back record that is sent again is a request of its own of one record, whose id tells which record it was at
 * first and how often that has been sent again: abc:3 ─► request redrive-1.abc:3, record redrive-1.abc:3:0 ─► request
 * redrive-2.abc:3 ─► … So the id doesn't grow, and sending the same dead letter again is always the same request.
 */

const REDRIVE_ID = /^redrive-(?<times>\d+)\.(?<recordId>.+)$/;

/** Whether an id is one that only a redrive may give to a request: a client's key must not be one. */
export function isRedriveId(requestId: string): boolean {
  return REDRIVE_ID.test(requestId);
}

/** Id of the request that sends a rolled-back record again. */
export function redriveIdOf(recordId: string): string {
  const before = REDRIVE_ID.exec(requestIdOf(recordId))?.groups;
  const [times, original] = [Number(before?.['times'] ?? 0), before?.['recordId'] ?? recordId];
  return `redrive-${times + 1}.${original}`;
}

/** The record, as a client sent it, that a request sends again; null when it is a client's own request. */
export function redriveOf(requestId: string): string | null {
  return REDRIVE_ID.exec(requestId)?.groups?.['recordId'] ?? null;
}
