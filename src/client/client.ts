import type { DeadLetter, DeadLetterPage, Redriven, RedriveSelection } from '../contracts/api/dead-letters';
import type { DrainReport } from '../contracts/api/drain';
import { isRequestId } from '../contracts/workflow/ids';
import type { LimitsAnswer } from '../contracts/workflow/limits-answer';
import type {
  BatchPage,
  BatchState,
  BatchSummary,
  BatchView,
  RequestView,
  StatusView,
  WaitsView,
} from '../contracts/api/views';
import { MINUTE, SECOND } from '../domain/duration';
import type { LimitsPatch } from '../domain/limits';
import type {
  AcceptedRecords,
  Asked,
  Caller,
  OperatorAnswer,
  OperatorCall,
  RedriveAnswer,
} from './answer-types';
import { call, queryOf, type Connection } from './calls';
import { isRepeatable, linesOf, recordText, type Source } from './ndjson';
import type { NdjsonPiece } from './ndjson-request';
import { retryPolicy, withRetries, type RetryOptions, type RetryPolicy } from './retry';
import { streamNdjson, type StreamOptions, type StreamResult } from './stream';
import { waitForOutcomes, type WaitOptions } from './wait-for-outcomes';

export interface KeepapartClientOptions {
  /** Where the API is: `http://127.0.0.1:3000`. */
  url: string;
  /** Sent as `Authorization: Bearer …`. Default: none. */
  apiKey?: string | undefined;
  /** Instead of the global one; streams don't use it. */
  fetch?: typeof globalThis.fetch | undefined;
  /** How long one answer may take, in milliseconds. Default 60,000. Of a drain: on top of its own time. Not of streams. */
  timeoutMs?: number | undefined;
  /** Of `send` and the streams; everything else is asked once. */
  retry?: RetryOptions | undefined;
}

export interface SendOptions extends Asked {
  /** Up to 128 letters, digits and `. _ : -`; the requestId is made of it. Default: a random UUID. */
  idempotencyKey?: string | undefined;
}

/**
 * A client of keepapart's HTTP API, for Node. Refusals are thrown as `KeepapartApiError`, an API that doesn't answer as
 * `KeepapartUnreachableError`; a signal that is aborted throws its reason. The constructor throws a `TypeError` for an
 * address or a key that can't be one, as do `send` and the streams for an idempotency key.
 */
export class KeepapartClient {
  readonly #connection: Connection;
  readonly #policy: RetryPolicy;

  constructor({ url, apiKey, fetch = globalThis.fetch, timeoutMs = MINUTE, retry }: KeepapartClientOptions) {
    const { protocol } = new URL(url);
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new TypeError(`The address has to be like http://127.0.0.1:3000; it is ${url}`);
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
      throw new TypeError('The apiKey has to be of printable ASCII characters, without spaces');
    this.#connection = { url: url.replace(/\/+$/, ''), apiKey, fetch, timeoutMs };
    this.#policy = retryPolicy(retry);
  }

  /**
   * Sends one list of records; resolves when all of them are durable. Sent again under the same key while the API can't
   * be reached or answers 408, 429 or 503 (see {@link RetryOptions}); so they are taken once, however often they were sent.
   */
  async send(values: readonly unknown[], options: SendOptions = {}): Promise<AcceptedRecords> {
    const { idempotencyKey = crypto.randomUUID(), signal } = options;
    const headers = { 'idempotency-key': requireKey(idempotencyKey) };
    const body = `[${values.map(recordText).join(',')}]`;
    return withRetries({
      policy: this.#policy,
      signal,
      attempt: () => this.#post<AcceptedRecords>('/v1/records', { body, headers, signal }),
    });
  }

  /**
   * Sends any number of records as one request, in constant memory, waiting while the API's buffer is full. Resolves
   * when all are durable. An array, or a function that gives the same values each time, is sent again after a break,
   * which adds nothing twice. Otherwise, and in the end, the error tells by `accepted` how many are known to be
   * durable, from the first on: the same values under the same key go on behind them. When the source throws, so does
   * this, with a `KeepapartSourceError`, and what came before is sent.
   */
  stream(values: Source<unknown>, options: StreamOptions = {}): Promise<StreamResult> {
    if (typeof values === 'string')
      throw new TypeError('A text is no list of values: streamNdjson sends texts');
    const lines = () => linesOf(typeof values === 'function' ? values() : values);
    return this.streamNdjson(isRepeatable(values) ? lines : lines(), options);
  }

  /** The same with a text that is NDJSON already, in pieces that are cut anywhere. The API judges it line by line. */
  async streamNdjson(pieces: Source<NdjsonPiece>, options: StreamOptions = {}): Promise<StreamResult> {
    const key = requireKey(options.idempotencyKey ?? crypto.randomUUID());
    return streamNdjson({ connection: this.#connection, policy: this.#policy, pieces, key, options });
  }

  /** Where each record of a request is. */
  request(requestId: string, { signal }: Asked = {}): Promise<RequestView> {
    return this.#get(`/v1/requests/${encodeURIComponent(requestId)}`, signal);
  }

  /** Waits until every record of a request is saved or rolled back. Throws `KeepapartTimeoutError` after the time. */
  waitForOutcomes(requestId: string, options: WaitOptions = {}): Promise<RequestView> {
    const { signal } = options;
    return waitForOutcomes(() => this.request(requestId, { signal }), options);
  }

  /**
   * Every batch, or those that hold records of a request: those that run first, then those that closed last; fetched page
   * by page as they are asked for. `pageSize`: 1 to 200, default 50.
   */
  async *batches(
    options: {
      state?: BatchState | undefined;
      requestId?: string | undefined;
      pageSize?: number | undefined;
    } & Asked = {},
  ): AsyncGenerator<BatchSummary, void> {
    const { signal, pageSize, ...filter } = options;
    const pages = this.#pages<BatchPage>('/v1/batches', { ...filter, limit: pageSize }, signal);
    for await (const { batches } of pages) yield* batches;
  }

  batch(batchId: string, { signal }: Asked = {}): Promise<BatchView> {
    return this.#get(`/v1/batches/${encodeURIComponent(batchId)}`, signal);
  }

  /** Records that were rolled back, page by page. `redriven` is `'false'` by default: those that were not sent again. */
  async *deadLetters(
    options: {
      requestId?: string | undefined;
      batchId?: string | undefined;
      redriven?: Redriven | undefined;
      pageSize?: number | undefined;
    } & Asked = {},
  ): AsyncGenerator<DeadLetter, void> {
    const { signal, pageSize, ...filter } = options;
    const pages = this.#pages<DeadLetterPage>('/v1/dead-letters', { ...filter, limit: pageSize }, signal);
    for await (const { deadLetters } of pages) yield* deadLetters;
  }

  /** What everything that is buffered waits for, by shard. */
  waits({ signal }: Asked = {}): Promise<WaitsView> {
    return this.#get('/v1/waits', signal);
  }

  /** Name and rights of the API key. */
  me({ signal }: Asked = {}): Promise<Caller> {
    return this.#get('/v1/me', signal);
  }

  /** Sends dead letters again, each once for ever. */
  redrive(selection: RedriveSelection, { by, signal }: OperatorCall = {}): Promise<RedriveAnswer> {
    return this.#operate('/v1/dead-letters/redrive', { ...selection, by }, signal);
  }

  status({ signal }: Asked = {}): Promise<StatusView> {
    return this.#get('/v1/status', signal);
  }

  /** Lets everything that is buffered now go, whatever its age. */
  flush({ by, signal }: OperatorCall = {}): Promise<OperatorAnswer> {
    return this.#operate('/v1/flush', { by }, signal);
  }

  /** No batch starts until somebody resumes; records are still accepted. */
  pause({ by, signal }: OperatorCall = {}): Promise<OperatorAnswer> {
    return this.#operate('/v1/pause', { by }, signal);
  }

  resume({ by, signal }: OperatorCall = {}): Promise<OperatorAnswer> {
    return this.#operate('/v1/resume', { by }, signal);
  }

  /**
   * Changes limits while everything runs: `null` gives one back to the configuration, what isn't named stays. Sent again
   * it does no harm; after `limits-incomplete` that completes it, as `shards` of the error tell.
   */
  changeLimits(patch: LimitsPatch, { by, signal }: OperatorCall = {}): Promise<LimitsAnswer> {
    const body = JSON.stringify({ ...patch, by });
    return call(this.#connection, { method: 'PATCH', path: '/v1/limits', body, signal });
  }

  /** Lets everything go and answers when it has its outcome, or after `timeoutMs` (default 30,000, at most 600,000). */
  drain(options: OperatorCall & { timeoutMs?: number | undefined } = {}): Promise<DrainReport> {
    const { by, timeoutMs = 30 * SECOND, signal } = options;
    const patienceMs = this.#connection.timeoutMs + timeoutMs;
    return this.#post('/v1/drain', {
      body: JSON.stringify({ by, timeoutMs }),
      timeoutMs: patienceMs,
      signal,
    });
  }

  #get<T>(path: string, signal: AbortSignal | undefined): Promise<T> {
    return call<T>(this.#connection, { method: 'GET', path, signal });
  }

  #post<T>(path: string, options: Omit<Parameters<typeof call>[1], 'method' | 'path'>): Promise<T> {
    return call<T>(this.#connection, { method: 'POST', path, ...options });
  }

  #operate<T>(path: string, body: object, signal: AbortSignal | undefined): Promise<T> {
    return this.#post<T>(path, { body: JSON.stringify(body), signal });
  }

  async *#pages<Page extends { nextCursor: string | null }>(
    path: string,
    query: Record<string, string | number | undefined>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Page, void> {
    let cursor: string | undefined;
    do {
      const page = await this.#get<Page>(`${path}${queryOf({ ...query, cursor })}`, signal);
      yield page;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
}

/** What the API wouldn't take under any circumstances would otherwise look like an API that can't be reached. */
function requireKey(key: string): string {
  if (isRequestId(key)) return key;
  throw new TypeError(
    'An idempotency key has up to 128 letters, digits and . _ : -, the first a letter or digit',
  );
}
