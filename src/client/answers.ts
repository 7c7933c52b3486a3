import type { FieldProblem, ShardChange } from '../domain/errors';
import { SECOND } from '../domain/duration';
import { KeepapartApiError, KeepapartUnreachableError } from './errors';

/** An answer as it came, whichever way it was asked for. */
export interface RawAnswer {
  status: number;
  /** Of the header `Retry-After`. */
  retryAfter: string | null | undefined;
  text: string;
}

/**
 * The value that an answer holds. Throws `KeepapartApiError` for a refusal, and `KeepapartUnreachableError` for what
 * keepapart would not have answered: no JSON, or a refusal without a code.
 */
export function valueOf(url: string, { status, retryAfter, text }: RawAnswer): unknown {
  const body = parsed(text);
  const retryAfterMs = waitOf(retryAfter);
  if (status >= 200 && status < 300 && body !== undefined) return body;
  const problem = body as Partial<Problem> | null | undefined;
  if (typeof problem?.code !== 'string' || status < 400) {
    const reason = `it answered ${status}, not as keepapart does`;
    throw new KeepapartUnreachableError(url, reason, { status, retryAfterMs });
  }
  const { code, detail, title, problems = [], requestId, accepted, shards } = problem;
  throw new KeepapartApiError({
    status,
    code,
    detail: detail ?? title ?? code,
    problems,
    retryAfterMs,
    requestId,
    accepted,
    shards,
  });
}

interface Problem {
  code: string;
  title: string;
  detail: string;
  problems: FieldProblem[];
  requestId: string;
  accepted: number;
  shards: ShardChange[];
}

/** Why a call got no answer, told from what Node threw. */
export function unreachable(url: string, cause: unknown): KeepapartUnreachableError {
  return new KeepapartUnreachableError(url, reasonOf(cause), { cause });
}

/** By its shape: what Node throws is no `Error` of this realm where a test runner has its own. */
function reasonOf(error: unknown): string {
  const { name, code, message, cause } = (error ?? {}) as Partial<
    Record<keyof NodeJS.ErrnoException, unknown>
  >;
  if (name === 'TimeoutError') return 'no answer in time';
  if (typeof code === 'string') return code;
  // `fetch` says no more than that it failed, and has the reason as its cause.
  if (cause !== undefined) return reasonOf(cause);
  return typeof message === 'string' ? message : String(error);
}

/** `Retry-After` in milliseconds: seconds, or a date. */
function waitOf(header: string | null | undefined): number | undefined {
  if (header === null || header === undefined || header === '') return undefined;
  if (/^\d+$/.test(header)) return Number(header) * SECOND;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** `undefined` when it isn't JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
