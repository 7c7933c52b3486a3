import type { RequestView } from '../contracts/api/views';
import { problemLines, type ErrorCode, type FieldProblem, type ShardChange } from '../domain/errors';

/** What the problem details of an answer say (RFC 9457), as far as keepapart sends them. */
export interface ApiProblem {
  status: number;
  /** Of the catalogue in `docs/ERRORS.md`, or one that a newer API has. */
  code: ErrorCode | (string & {});
  detail: string;
  problems: readonly FieldProblem[];
  /** When to come back, in milliseconds; `undefined` when the answer doesn't tell. */
  retryAfterMs: number | undefined;
  /** Of a stream that broke: its id, and how many of its records, from the first one on, are durable. */
  requestId: string | undefined;
  accepted: number | undefined;
  /** Of a change of limits that not every shard confirmed: what has come of it in each. */
  shards?: readonly ShardChange[] | undefined;
}

/** The API refused. Branch on `code`; `message` is the detail with a line for each problem. */
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

/** What is known of a stream that didn't come to its end. */
export interface BrokenStream {
  /** The key that it was sent under: the same stream under it goes on after what is durable. */
  requestId: string;
  /** How many records, from the first one on, are known to be durable; more may be. `undefined`: nothing is known. */
  accepted: number | undefined;
}

/** How Node tells that a certificate was refused, whatever is wrong with it. */
const UNTRUSTED = /CERT|^UNABLE_TO_/;

/**
 * No keepapart API answered: the connection failed or broke, the time was over, or something else answered there.
 * Whether records were taken is not known; the same again under the same key adds nothing twice.
 */
export class KeepapartUnreachableError extends Error {
  override readonly name = 'KeepapartUnreachableError';
  readonly code = 'api-unreachable' satisfies ErrorCode;
  /** The API's address, as the client was given it. */
  readonly url: string;
  /** A system's error code such as `ECONNREFUSED` where there is one, else a few words. */
  readonly reason: string;
  /** HTTP status of an answer that wasn't keepapart's, such as a proxy's 502. */
  readonly status: number | undefined;
  /** Whether the certificate was refused: that no later try mends. */
  readonly untrusted: boolean;
  /** When to come back, in milliseconds, if that answer told. */
  readonly retryAfterMs: number | undefined;
  /** Of a stream. */
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

/** The source of a stream threw; its error is the `cause`. What came before was sent, as far as `accepted` says for good. */
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

/** Not every record of a request had its outcome within the time; `view` is what was seen last. */
export class KeepapartTimeoutError extends Error {
  override readonly name = 'KeepapartTimeoutError';
  /** `undefined` when the API didn't answer once. */
  readonly view: RequestView | undefined;

  constructor(message: string, view: RequestView | undefined, cause?: unknown) {
    super(message, { cause });
    this.view = view;
  }
}
