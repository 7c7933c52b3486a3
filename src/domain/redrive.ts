import { requestIdOf } from './records/record';

/*
 * A redrive sends a rolled-back record again as a request with one record. The request's id names the record that the
 * client sent, and counts its redrives: abc:3 ─► request redrive-1.abc:3, record redrive-1.abc:3:0 ─► request
 * redrive-2.abc:3 ─► … So ids don't grow, and redriving the same dead letter twice is the same request.
 */

const REDRIVE_ID = /^redrive-(?<times>\d+)\.(?<recordId>.+)$/;

/** Whether a request id is reserved for redrives. Idempotency keys of clients must not have this form. */
export function isRedriveId(requestId: string): boolean {
  return REDRIVE_ID.test(requestId);
}

/** Id of the request that redrives a rolled-back record. */
export function redriveIdOf(recordId: string): string {
  const before = REDRIVE_ID.exec(requestIdOf(recordId))?.groups;
  const [times, original] = [Number(before?.['times'] ?? 0), before?.['recordId'] ?? recordId];
  return `redrive-${times + 1}.${original}`;
}

/** Id of the client's original record that a request redrives; null if the request is not a redrive. */
export function redriveOf(requestId: string): string | null {
  return REDRIVE_ID.exec(requestId)?.groups?.['recordId'] ?? null;
}
