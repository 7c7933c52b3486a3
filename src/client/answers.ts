import type { ShardChange } from '../domain/errors';
import type { FieldProblem } from '../domain/field-problems';
import { SECOND } from '../domain/duration';
import { KeepapartApiError, KeepapartUnreachableError } from './errors';

/** An HTTP answer, from `fetch` or from `node:http`. */
export interface RawAnswer {
  status: number;
  /** Value of the header `Retry-After`. */
  retryAfter: string | null | undefined;
  text: string;
}

/**
 * The value in an answer.
 * @throws `KeepapartApiError` for an error of the API; `KeepapartUnreachableError` for an answer that isn't keepapart's:
 *   not JSON, or an error without a code
 */
export function valueOf(url: string, { status, retryAfter, text }: RawAnswer): unknown {
  const body = parsed(text);
  const retryAfterMs = waitOf(retryAfter);
  if (status >= 200 && status < 300 && body !== undefined) return body;
  const problem = body as Partial<Problem> | null | undefined;
  if (typeof problem?.code !== 'string' || status < 400) {
    const reason = `status ${status}, not sent by keepapart`;
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

/** The error for a call without an answer, from what Node threw. */
export function unreachable(url: string, cause: unknown): KeepapartUnreachableError {
  return new KeepapartUnreachableError(url, describeCause(cause), { cause });
}

/** By shape: errors thrown by Node aren't instances of this realm's `Error` if a test runner has its own. */
function describeCause(error: unknown): string {
  const { name, code, message, cause } = (error ?? {}) as Partial<
    Record<keyof NodeJS.ErrnoException, unknown>
  >;
  if (name === 'TimeoutError') return 'no answer in time';
  if (typeof code === 'string') return code;
  // `fetch` only says that it failed; its cause has the reason.
  if (cause !== undefined) return describeCause(cause);
  return typeof message === 'string' ? message : String(error);
}

/** `Retry-After`, in seconds or as a date, converted to milliseconds. */
function waitOf(header: string | null | undefined): number | undefined {
  if (header === null || header === undefined || header === '') return undefined;
  if (/^\d+$/.test(header)) return Number(header) * SECOND;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** Undefined if it isn't JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
