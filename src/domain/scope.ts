import { isRedriveId } from './redrive';

/*
 * Independent clients may choose the same Idempotency-Key. So the id of a request with a key starts with the name of the
 * client's API key: `alice~order-4711`. Idempotency keys can't contain `~`, so no client can name another client's
 * request. Without API keys there is a single scope, and the request's id is the key itself.
 */

const SEPARATOR = '~';

/** Redrives are remembered in a scope of their own, so that they don't use up the share of the client that sent the records. */
const REDRIVE_SCOPE = '*redrive';

/** The name of a client's API key, empty without one; or {@link REDRIVE_SCOPE}. */
const SCOPE = /^\*?[\w-]{0,32}$/;

/**
 * Id of the request that a client sends under an idempotency key.
 * @param client name of its API key; undefined without one
 */
export function scopedId(client: string | undefined, key: string): string {
  return client === undefined ? key : `${client}${SEPARATOR}${key}`;
}

/** The idempotency key of a request, without the client's name. */
export function idempotencyKeyOf(requestId: string): string {
  return requestId.slice(requestId.indexOf(SEPARATOR) + 1);
}

/** Whether a request id starts with the name of a client. */
export function isScopedId(requestId: string): boolean {
  return requestId.includes(SEPARATOR);
}

/** The scope in whose share of the window a request is remembered. */
export function clientScopeOf(requestId: string): string {
  if (isRedriveId(requestId)) return REDRIVE_SCOPE;
  return requestId.slice(0, Math.max(0, requestId.indexOf(SEPARATOR)));
}

/** Whether a value is a valid scope: at most 33 characters, which bounds the carried state. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && SCOPE.test(value);
}
