import { isRedriveId } from './redrive';

/*
 * Clients that don't know of each other may choose the same Idempotency-Key. So the id of a request with a key begins
 * with the name of the API key that sent it: `alice~order-4711`. A key can't contain the mark, so no client can name a
 * request of another. Where no API keys are configured there is one scope, and the key alone is the id.
 */

const MARK = '~';

/** The share of redrives in what is remembered: an operator's, and none of those whose records they send. */
const REDRIVE_SCOPE = '*redrive';

/** What stands for a client in what is remembered: the name of its API key, empty without one. */
const SCOPE = /^\*?[\w-]{0,32}$/;

/** Id of the request that a client sends under a key. @param client name of its API key; undefined without one */
export function scopedId(client: string | undefined, key: string): string {
  return client === undefined ? key : `${client}${MARK}${key}`;
}

/** The key under which a client sent a request. */
export function keyOf(requestId: string): string {
  return requestId.slice(requestId.indexOf(MARK) + 1);
}

/** Whether an id says which client sent the request. */
export function isScopedId(requestId: string): boolean {
  return requestId.includes(MARK);
}

/** Whose share a request counts in. */
export function scopeOf(requestId: string): string {
  if (isRedriveId(requestId)) return REDRIVE_SCOPE;
  return requestId.slice(0, Math.max(0, requestId.indexOf(MARK)));
}

/** Whether something can be a scope; what is carried is bounded by its length. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && SCOPE.test(value);
}
