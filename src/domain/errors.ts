import { isDeeperThan } from './json';

/** Who, if anybody, repeats what failed. */
export const RETRIED = {
  /** Repeating the same thing can't succeed. */
  never: 'never',
  /** The client may send the same request again, after `Retry-After` where there is one. */
  byClient: 'by the client',
  /** Temporal repeats it, within the limit of attempts. */
  byTemporal: 'by Temporal',
  /** An operator has to change something first. */
  byOperator: 'by the operator',
} as const;
export type Retried = (typeof RETRIED)[keyof typeof RETRIED];

interface CatalogueEntry {
  /** One line, the same for every occurrence. */
  title: string;
  /** HTTP status, where the error can reach an HTTP client. */
  status?: number;
  retried: Retried;
}

/**
 * Every error that a user, a client or an operator can meet; `docs/ERRORS.md` explains each, and a test holds the two
 * together. The key is the stable code: in problem details as `urn:keepapart:error:<code>`, in Temporal as the
 * failure's type, on the command line in brackets.
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
  'malformed-request': { title: 'The request is not HTTP', status: 400, retried: RETRIED.never },
  'request-timeout': {
    title: 'The request took too long to arrive',
    status: 408,
    retried: RETRIED.byClient,
  },
  unauthorized: { title: 'An API key is required', status: 401, retried: RETRIED.never },
  forbidden: { title: 'The API key lacks the right to do this', status: 403, retried: RETRIED.never },
  'cross-origin': { title: 'Pages of other origins may not do this', status: 403, retried: RETRIED.never },
  'unknown-host': { title: 'Requests for this host name are not taken', status: 421, retried: RETRIED.never },
  'not-found': { title: 'There is nothing here', status: 404, retried: RETRIED.never },
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
    title: 'The Idempotency-Key was used for other records',
    status: 409,
    retried: RETRIED.never,
  },
  'stream-overtaken': {
    title: 'Not all of the stream was taken',
    status: 503,
    retried: RETRIED.byClient,
  },
  'request-too-long': {
    title: 'The request has too many records to be told one by one',
    status: 422,
    retried: RETRIED.never,
  },
  'limits-incomplete': {
    title: 'The limits were not changed in every shard',
    status: 503,
    retried: RETRIED.byClient,
  },
  'temporal-unavailable': {
    title: 'Temporal can not be reached',
    status: 503,
    retried: RETRIED.byClient,
  },
  'not-ready': { title: 'The service is not ready', status: 503, retried: RETRIED.byClient },
  'too-many-connections': {
    title: 'The connection limit is reached',
    status: 503,
    retried: RETRIED.byClient,
  },
  internal: { title: 'Something went wrong on our side', status: 500, retried: RETRIED.byClient },

  'api-unreachable': { title: 'The HTTP API does not answer', retried: RETRIED.byOperator },

  'import-unreadable': {
    title: 'A file to import is not what it is said to be',
    retried: RETRIED.never,
  },
  'import-changed': {
    title: 'A file has changed while it was imported',
    retried: RETRIED.never,
  },

  'wrong-protocol': { title: 'This port speaks another protocol', retried: RETRIED.never },
  'list-unfinished': { title: 'The rest of a list did not come in time', retried: RETRIED.byClient },

  'save-failed': { title: 'The store could not save the record', retried: RETRIED.byTemporal },
  'store-failed': {
    title: 'The store could not undo a save or publish a batch',
    retried: RETRIED.byTemporal,
  },
  'store-away': { title: 'The store as a whole can not work', retried: RETRIED.byTemporal },
  'record-rejected': { title: 'The store refused the record for good', retried: RETRIED.never },
  'batch-rejected': { title: 'The store refused the batch for good', retried: RETRIED.never },
  'batch-already-closed': { title: 'The batch has its file already', retried: RETRIED.never },
  'batch-file-conflict': {
    title: 'A different file stands where this batch has to be written',
    retried: RETRIED.byTemporal,
  },
  'staged-record-missing': {
    title: 'A saved record is not in the staging',
    retried: RETRIED.byTemporal,
  },

  'invalid-config': { title: 'The configuration is not valid', retried: RETRIED.byOperator },
  'port-in-use': { title: 'A port is taken', retried: RETRIED.byOperator },
  'folder-not-writable': { title: 'A folder can not be written', retried: RETRIED.byOperator },
  'postgres-unusable': { title: 'Postgres can not be used as the store', retried: RETRIED.byOperator },
  'store-unusable': { title: 'The store could not be opened', retried: RETRIED.byOperator },
  'temporal-binary-missing': {
    title: 'No Temporal server could be found, downloaded or built',
    retried: RETRIED.byOperator,
  },
  'temporal-start-failed': { title: 'The Temporal server did not come up', retried: RETRIED.byOperator },
  'version-refused': { title: 'A build can not be made current', retried: RETRIED.byOperator },

  'replay-mismatch': {
    title: "Today's workflow code does not replay a history",
    retried: RETRIED.byOperator,
  },
  'history-unreadable': { title: 'A history can not be read', retried: RETRIED.byOperator },
  'nothing-to-replay': { title: 'There is no history to replay', retried: RETRIED.byOperator },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** One thing that is wrong, and what would be right. */
export interface FieldProblem {
  /** Where: a setting's name, or a JSON Pointer into the body. */
  field: string;
  expected: string;
  /** What was there, shortened, with its type. */
  received: string;
}

/** Problems as they follow a message, each on a line of its own; an empty text for none. */
export function problemLines(problems: readonly FieldProblem[]): string {
  return problems
    .map(({ field, expected, received }) => `\n  ${field}: expected ${expected}; received ${received}`)
    .join('');
}

/** Levels of a value that is shown: JSON.stringify can't bear many thousands. */
const MAX_SHOWN_LEVELS = 100;

/** `received` of a {@link FieldProblem}: the value as JSON, shortened, with its type. */
export function describeReceived(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  const type = Array.isArray(value) ? 'array' : typeof value;
  if (isDeeperThan(value, MAX_SHOWN_LEVELS)) return `more than ${MAX_SHOWN_LEVELS} levels (${type})`;
  // What JSON has no text for (functions, symbols, big integers) is told by its type alone.
  const text = ['function', 'symbol', 'bigint'].includes(type) ? type : JSON.stringify(value);
  return `${text.length > 80 ? `${text.slice(0, 77)}...` : text} (${type})`;
}

/** How much of a stream has been taken for good. */
export interface StreamTaken {
  requestId: string;
  accepted: number;
}

/** What is known of a change that was to be made in a shard. */
export const SHARD_CHANGE = { changed: 'changed', refused: 'refused', unknown: 'unknown' } as const;

/** What has come of a change in one shard. */
export interface ShardChange {
  /** Workflow id of its batcher. */
  batcher: string;
  change: (typeof SHARD_CHANGE)[keyof typeof SHARD_CHANGE];
  /** Why it isn't `changed`. */
  reason?: string;
}

interface ErrorOptions {
  problems?: readonly FieldProblem[];
  retryAfterMs?: number;
  progress?: StreamTaken | { shards: readonly ShardChange[] };
  cause?: unknown;
}

/** An error of the catalogue. Branch on `code`, never on the class: it crosses realms and processes. */
export class KeepapartError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly FieldProblem[];
  /** How long to wait before trying again, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /**
   * What was done all the same. Of a stream that broke: its first `accepted` records are durable, and nothing behind them.
   * Of a change of limits: what has come of it in each shard.
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

/** Whether a thrown value is a {@link KeepapartError}, told by its shape. */
export function isKeepapartError(error: unknown): error is KeepapartError {
  return (
    error instanceof Error &&
    error.name === 'KeepapartError' &&
    'code' in error &&
    Object.hasOwn(ERRORS, String(error.code))
  );
}
