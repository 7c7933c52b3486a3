import type { RequestView } from '../contracts/api/answers/requests';
import type { ErrorCode, ShardChange } from '../domain/errors';
import { problemLines, type FieldProblem } from '../domain/field-problems';

/** The problem details of an answer (RFC 9457), as far as keepapart sends them. */
export interface ApiProblem {
  status: number;
  /** A code of the catalogue in `docs/ERRORS.md`, or one that a newer API added. */
  code: ErrorCode | (string & {});
  detail: string;
  problems: readonly FieldProblem[];
  /** When to retry, in milliseconds; undefined if the answer doesn't say. */
  retryAfterMs: number | undefined;
  /** For a broken stream: its id, and how many of its records, from the first, are durable. */
  requestId: string | undefined;
  accepted: number | undefined;
  /** For a change of limits that not every shard confirmed: the state of each shard. */
  shards?: readonly ShardChange[] | undefined;
}

/** The API refused a call. Branch on `code`; `message` is the detail with a line for each problem. */
export class KeepapartApiError extends Error implements ApiProblem {
  override readonly name = 'KeepapartApiError';
  readonly status: number;
  readonly code: ErrorCode | (string & {});
  readonly detail: string;
  readonly problems: readonly FieldProblem[];
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;
  readonly accepted: number | undefined;
  readonly shards: readonly ShardChange[] | undefined;

  constructor(problem: ApiProblem) {
    super(`${problem.detail}${problemLines(problem.problems)}`);
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.problems = problem.problems;
    this.retryAfterMs = problem.retryAfterMs;
    this.requestId = problem.requestId;
    this.accepted = problem.accepted;
    this.shards = problem.shards;
  }
}

/** What is known of a stream that broke. */
export interface BrokenStream {
  /** The key it was sent under. Sending the same stream under it continues after what is durable. */
  requestId: string;
  /** How many records, from the first, are known to be durable; there may be more. Undefined if nothing is known. */
  accepted: number | undefined;
}

/** Node's codes for a certificate that was refused, for any reason. */
const UNTRUSTED = /CERT|^UNABLE_TO_/;

/**
 * No keepapart API answered: the connection failed or broke, the timeout passed, or something else answered. It is not
 * known whether records were accepted; sending the same again under the same key adds nothing twice.
 */
export class KeepapartUnreachableError extends Error {
  override readonly name = 'KeepapartUnreachableError';
  readonly code = 'api-unreachable' satisfies ErrorCode;
  /** The API's address, as the client was given it. */
  readonly url: string;
  /** The system's error code, such as `ECONNREFUSED`, if there is one, else a few words. */
  readonly reason: string;
  /** HTTP status of an answer that wasn't keepapart's, such as a proxy's 502. */
  readonly status: number | undefined;
  /** Whether the certificate was refused, which no retry can fix. */
  readonly untrusted: boolean;
  /** When to retry, in milliseconds, if that answer says so. */
  readonly retryAfterMs: number | undefined;
  /** For a stream. */
  readonly requestId: string | undefined;
  readonly accepted: number | undefined;

  constructor(
    url: string,
    reason: string,
    options: {
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
      stream?: BrokenStream;
    } = {},
  ) {
    const what = UNTRUSTED.test(reason)
      ? `The certificate of ${url} is not trusted`
      : `No keepapart API answers at ${url}`;
    super(`${what} (${reason})`, { cause: options.cause });
    this.url = url;
    this.reason = reason;
    this.untrusted = UNTRUSTED.test(reason);
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.requestId = options.stream?.requestId;
    this.accepted = options.stream?.accepted;
  }
}

/** The source of a stream threw the `cause`. What came before it was sent; `accepted` says how much of it is durable. */
export class KeepapartSourceError extends Error implements BrokenStream {
  override readonly name = 'KeepapartSourceError';
  readonly requestId: string;
  readonly accepted: number | undefined;

  constructor(cause: unknown, { requestId, accepted }: BrokenStream) {
    const { message } = (cause ?? {}) as { message?: unknown };
    super(`The source of the records failed: ${String(message ?? cause)}`, { cause });
    this.requestId = requestId;
    this.accepted = accepted;
  }
}

/** Not every record of a request had its outcome in time; `view` is the last one seen. */
export class KeepapartTimeoutError extends Error {
  override readonly name = 'KeepapartTimeoutError';
  /** Undefined if the API never answered. */
  readonly view: RequestView | undefined;

  constructor(message: string, view: RequestView | undefined, cause?: unknown) {
    super(message, { cause });
    this.view = view;
  }
}
