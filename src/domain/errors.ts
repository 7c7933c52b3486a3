import type { FieldProblem } from './field-problems';

/** Who repeats a call that failed. */
export const RETRIED = {
  /** The same call fails again. */
  never: 'never',
  /** The client may send the same request again, after `Retry-After` where there is one. */
  byClient: 'by the client',
  /** Temporal retries it, up to the limit of attempts. */
  byTemporal: 'by Temporal',
  /** An operator has to change something first. */
  byOperator: 'by the operator',
} as const;
export type Retried = (typeof RETRIED)[keyof typeof RETRIED];

interface CatalogueEntry {
  /** One line, the same for every occurrence. */
  title: string;
  /** HTTP status; absent for errors that never reach an HTTP client. */
  status?: number;
  retried: Retried;
}

/**
 * Every error that a user, a client or an operator can get. `docs/ERRORS.md` explains each; a test checks that the two
 * agree. The key is the stable code: in problem details as `urn:keepapart:error:<code>`, in Temporal as the failure's
 * type, on the command line in brackets.
 */
export const ERRORS = {
  'invalid-json': { title: 'The body is not valid JSON', status: 400, retried: RETRIED.never },
  'invalid-request': { title: 'The request is not valid', status: 422, retried: RETRIED.never },
  'unsupported-media-type': {
    title: 'The content type is not supported',
    status: 415,
    retried: RETRIED.never,
  },
  'request-too-large': { title: 'The request is too large', status: 413, retried: RETRIED.never },
  'header-too-large': { title: 'The header is too large', status: 431, retried: RETRIED.never },
  'malformed-request': { title: 'The request is not valid HTTP', status: 400, retried: RETRIED.never },
  'request-timeout': {
    title: 'The request took too long to arrive',
    status: 408,
    retried: RETRIED.byClient,
  },
  unauthorized: { title: 'An API key is required', status: 401, retried: RETRIED.never },
  forbidden: { title: 'The API key lacks the right to do this', status: 403, retried: RETRIED.never },
  'cross-origin': {
    title: 'Requests from pages of other origins are not allowed',
    status: 403,
    retried: RETRIED.never,
  },
  'unknown-host': {
    title: 'Requests for this host name are not accepted',
    status: 421,
    retried: RETRIED.never,
  },
  'not-found': { title: 'Not found', status: 404, retried: RETRIED.never },
  'method-not-allowed': {
    title: 'The method is not allowed here',
    status: 405,
    retried: RETRIED.never,
  },
  'request-not-found': { title: 'No such request', status: 404, retried: RETRIED.never },
  'batch-not-found': { title: 'No such batch', status: 404, retried: RETRIED.never },
  'dead-letter-not-found': { title: 'No such dead letter', status: 404, retried: RETRIED.never },
  'buffer-full': { title: 'The buffer is full', status: 429, retried: RETRIED.byClient },
  'rate-limited': { title: 'Too many requests', status: 429, retried: RETRIED.byClient },
  'idempotency-key-reused': {
    title: 'The Idempotency-Key was already used for different records',
    status: 409,
    retried: RETRIED.never,
  },
  'stream-overtaken': {
    title: 'Only part of the stream was accepted',
    status: 503,
    retried: RETRIED.byClient,
  },
  'request-too-long': {
    title: 'The request has too many records to list',
    status: 422,
    retried: RETRIED.never,
  },
  'limits-incomplete': {
    title: 'The limits were not changed in all shards',
    status: 503,
    retried: RETRIED.byClient,
  },
  'temporal-unavailable': {
    title: 'Temporal cannot be reached',
    status: 503,
    retried: RETRIED.byClient,
  },
  'encryption-key-missing': {
    title: 'A payload in Temporal cannot be decrypted',
    status: 503,
    retried: RETRIED.byOperator,
  },
  'not-ready': { title: 'The service is not ready', status: 503, retried: RETRIED.byClient },
  'too-many-connections': {
    title: 'The connection limit has been reached',
    status: 503,
    retried: RETRIED.byClient,
  },
  internal: { title: 'Internal error', status: 500, retried: RETRIED.byClient },

  'api-unreachable': { title: 'The HTTP API does not answer', retried: RETRIED.byOperator },

  'import-unreadable': {
    title: 'A file to import is not in its stated format',
    retried: RETRIED.never,
  },
  'import-changed': {
    title: 'A file changed while it was being imported',
    retried: RETRIED.never,
  },

  'wrong-protocol': { title: 'This port speaks a different protocol', retried: RETRIED.never },
  'list-unfinished': { title: 'The rest of a list did not arrive in time', retried: RETRIED.byClient },

  'save-failed': { title: 'The store could not save the record', retried: RETRIED.byTemporal },
  'store-failed': {
    title: 'The store could not roll back a record or publish a batch',
    retried: RETRIED.byTemporal,
  },
  'store-away': { title: 'The store is unavailable', retried: RETRIED.byTemporal },
  'record-rejected': { title: 'The store permanently rejected the record', retried: RETRIED.never },
  'batch-rejected': { title: 'The store permanently rejected the batch', retried: RETRIED.never },
  'batch-already-closed': { title: 'The batch is already closed', retried: RETRIED.never },
  'batch-file-conflict': {
    title: "A different file exists under this batch's name",
    retried: RETRIED.byTemporal,
  },
  'staged-record-missing': {
    title: 'A saved record is missing from the staging area',
    retried: RETRIED.byTemporal,
  },

  'invalid-config': { title: 'The configuration is not valid', retried: RETRIED.byOperator },
  'port-in-use': { title: 'A port is already in use', retried: RETRIED.byOperator },
  'folder-not-writable': { title: 'A folder is not writable', retried: RETRIED.byOperator },
  'postgres-unusable': { title: 'Postgres cannot be used as the store', retried: RETRIED.byOperator },
  'store-unusable': { title: 'The store could not be opened', retried: RETRIED.byOperator },
  'temporal-binary-missing': {
    title: 'No Temporal server could be found, downloaded or built',
    retried: RETRIED.byOperator,
  },
  'temporal-start-failed': { title: 'The Temporal server did not start', retried: RETRIED.byOperator },
  'version-refused': { title: 'A build cannot be made current', retried: RETRIED.byOperator },

  'replay-mismatch': {
    title: 'The current workflow code does not replay a history',
    retried: RETRIED.byOperator,
  },
  'history-unreadable': { title: 'A history cannot be read', retried: RETRIED.byOperator },
  'nothing-to-replay': { title: 'There is no history to replay', retried: RETRIED.byOperator },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** How many records of a stream are durable, counted from the first. */
export interface StreamTaken {
  requestId: string;
  accepted: number;
}

/** The result of a change of limits in one shard; `unknown` if its batcher did not answer. */
export const SHARD_CHANGE = { changed: 'changed', refused: 'refused', unknown: 'unknown' } as const;

export interface ShardChange {
  /** Workflow id of the shard's batcher. */
  batcher: string;
  change: (typeof SHARD_CHANGE)[keyof typeof SHARD_CHANGE];
  /** Why the change was refused, or why its result is unknown. Absent for `changed`. */
  reason?: string;
}

interface ErrorOptions {
  problems?: readonly FieldProblem[];
  retryAfterMs?: number;
  progress?: StreamTaken | { shards: readonly ShardChange[] };
  cause?: unknown;
}

/**
 * An error from the catalogue. Branch on `code`, never on the class: errors cross realms and processes, where
 * `instanceof` fails. `entry` says who retries it.
 */
export class KeepapartError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly FieldProblem[];
  /** How long to wait before the next try, in milliseconds; undefined if unknown. */
  readonly retryAfterMs: number | undefined;
  /**
   * The part that succeeded. For a stream that broke: its first `accepted` records are durable, later ones are not.
   * For a change of limits: the result in each shard.
   */
  readonly progress: ErrorOptions['progress'];

  constructor(code: ErrorCode, detail: string, options: ErrorOptions = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'KeepapartError';
    this.code = code;
    this.problems = options.problems ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.progress = options.progress;
  }

  get entry(): CatalogueEntry {
    return ERRORS[this.code];
  }
}

/**
 * Whether a thrown value is a {@link KeepapartError}, judged by its shape so that it works for errors of other copies
 * of the class.
 */
export function isKeepapartError(error: unknown): error is KeepapartError {
  return (
    error instanceof Error &&
    error.name === 'KeepapartError' &&
    'code' in error &&
    Object.hasOwn(ERRORS, String(error.code))
  );
}
