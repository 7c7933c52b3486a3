import type { AcceptedRecords, Caller, OperatorAnswer } from '../contracts/api/answers/simple';
import type {
  RedriveAnswer,
  DeadLetter,
  DeadLetterGroups,
  DeadLetterPage,
} from '../contracts/api/answers/dead-letters';
import type { AuditsView, AuditView } from '../contracts/api/answers/audits';
import type { BufferView } from '../contracts/api/answers/buffer';
import type { ControlsView } from '../contracts/api/answers/controls';
import type { RedriveSelection } from '../contracts/api/filters';
import type { Redriven, BatchState } from '../contracts/api/states';
import type { FindView } from '../contracts/api/answers/find';
import type { WorkersView } from '../contracts/api/answers/workers';
import type { DrainReport } from '../contracts/api/answers/drain';
import type { LiveEvent } from '../contracts/api/live';
import { isRequestId } from '../contracts/workflow/ids';
import type { LimitsAnswer } from '../contracts/workflow/limits-answer';
import type { BatchPage, BatchSummary, BatchView } from '../contracts/api/answers/batches';
import type { RequestView, WaitsView } from '../contracts/api/answers/requests';
import type { StatusView } from '../contracts/api/answers/status';
import { MINUTE, SECOND } from '../domain/duration';
import type { LimitsPatch } from '../domain/limits';
import type { Asked, OperatorCall } from './call-options';
import { call, queryOf, type Connection } from './calls';
import { receiveEvents, type EventsOptions } from './events';
import { isRepeatable, linesOf, recordText, type Source } from './ndjson';
import type { NdjsonPiece } from './ndjson-request';
import { retryPolicy, withRetries, type RetryOptions, type RetryPolicy } from './retry';
import { streamNdjson, type StreamOptions, type StreamResult } from './stream';
import { waitForOutcomes, type WaitOptions } from './wait-for-outcomes';

export interface KeepapartClientOptions {
  /** Address of the API, for example `http://127.0.0.1:3000`. */
  url: string;
  /** Sent as `Authorization: Bearer …`. Default: none. */
  apiKey?: string | undefined;
  /** Replaces the global `fetch`; streams don't use it. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Maximum time for one answer, in milliseconds. Default 60,000. A drain gets its own time on top. Not for streams. */
  timeoutMs?: number | undefined;
  /** Retries of `send` and the streams; other calls are not retried. */
  retry?: RetryOptions | undefined;
}

export interface SendOptions extends Asked {
  /** Up to 128 letters, digits and `. _ : -`; the requestId is derived from it. Default: a random UUID. */
  idempotencyKey?: string | undefined;
}

/**
 * A client for keepapart's HTTP API, for Node. All methods throw `KeepapartApiError` if the API refuses a call,
 * `KeepapartUnreachableError` if it doesn't answer, and the signal's reason if that is aborted.
 * @throws TypeError from the constructor for an invalid `url` or `apiKey`, and from `send` and the streams for an invalid
 *   idempotency key
 * @example
 * const keepapart = new KeepapartClient({ url: 'http://127.0.0.1:3000', apiKey: process.env.KEEPAPART_API_KEY });
 * const { requestId } = await keepapart.send([{ sku: 'a', stock: 3 }, { sku: 'b', stock: 5 }]);
 * const { counts } = await keepapart.waitForOutcomes(requestId);
 */
export class KeepapartClient {
  readonly #connection: Connection;
  readonly #policy: RetryPolicy;

  constructor({ url, apiKey, fetch = globalThis.fetch, timeoutMs = MINUTE, retry }: KeepapartClientOptions) {
    const { protocol } = new URL(url);
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new TypeError(`The url must start with http:// or https://; it is ${url}`);
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
      throw new TypeError('The apiKey must consist of printable ASCII characters, without spaces');
    this.#connection = { url: url.replace(/\/+$/, ''), apiKey, fetch, timeoutMs };
    this.#policy = retryPolicy(retry);
  }

  /**
   * Sends one list of records; resolves when all of them are durable. While the API can't be reached or answers 408, 429 or
   * 503, the list is sent again under the same key (see {@link RetryOptions}), so it is accepted once.
   * @example
   * await keepapart.send([1, 2, 3], { idempotencyKey: 'order-4711' });
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
   * Sends any number of records as one request, in constant memory, waiting while the API's buffer is full. Resolves when
   * all of them are durable. If the connection breaks, an array, or a function that returns the same values each time, is
   * sent again; nothing is added twice. Otherwise the error's `accepted` says how many records, from the first, are known to
   * be durable; sending the same values under the same key continues after them.
   * @throws `KeepapartSourceError` if the source throws; what came before it is sent
   * @example
   * await keepapart.stream(() => readRows('orders.csv'), {
   *   idempotencyKey: 'orders-2026-01-31',
   *   onAccepted: (accepted) => console.log(`${accepted} records are durable`),
   * });
   */
  stream(values: Source<unknown>, options: StreamOptions = {}): Promise<StreamResult> {
    if (typeof values === 'string')
      throw new TypeError('A text is not a list of values; use streamNdjson for texts');
    const lines = () => linesOf(typeof values === 'function' ? values() : values);
    return this.streamNdjson(isRepeatable(values) ? lines : lines(), options);
  }

  /**
   * Like {@link stream}, for a text that is already NDJSON, in pieces cut at any position. The API validates it line by line.
   * @example
   * await keepapart.streamNdjson(() => createReadStream('orders.ndjson'), { idempotencyKey: 'orders-2026-01-31' });
   */
  async streamNdjson(pieces: Source<NdjsonPiece>, options: StreamOptions = {}): Promise<StreamResult> {
    const key = requireKey(options.idempotencyKey ?? crypto.randomUUID());
    return streamNdjson({ connection: this.#connection, policy: this.#policy, pieces, key, options });
  }

  /** Where each record of a request is. */
  request(requestId: string, { signal }: Asked = {}): Promise<RequestView> {
    return this.#get(`/v1/requests/${encodeURIComponent(requestId)}`, signal);
  }

  /** Waits until every record of a request is saved or rolled back. @throws `KeepapartTimeoutError` after `timeoutMs` */
  waitForOutcomes(requestId: string, options: WaitOptions = {}): Promise<RequestView> {
    const { signal } = options;
    return waitForOutcomes(() => this.request(requestId, { signal }), options);
  }

  /**
   * All batches, or those with records of a request: running ones first, then the most recently closed. Pages are fetched
   * on demand. `pageSize`: 1 to 200, default 50.
   * @example
   * for await (const { batchId, saved } of keepapart.batches({ state: 'completed' })) console.log(batchId, saved);
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

  /** One batch with its records and their outcomes. */
  batch(batchId: string, { signal }: Asked = {}): Promise<BatchView> {
    return this.#get(`/v1/batches/${encodeURIComponent(batchId)}`, signal);
  }

  /**
   * Records that were rolled back, page by page. `redriven`: `'false'` for those that were not redriven (default), `'true'`
   * for those that were, or `'any'`. `pageSize`: 1 to 200, default 50.
   */
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

  /** What the buffered records wait for, by shard. */
  waits({ signal }: Asked = {}): Promise<WaitsView> {
    return this.#get('/v1/waits', signal);
  }

  /** The first buffered records of each shard with their values, and what holds them. */
  buffer({ signal }: Asked = {}): Promise<BufferView> {
    return this.#get('/v1/buffer', signal);
  }

  /** Who polls for work, which builds they are, and what waits in each task queue. */
  workers({ signal }: Asked = {}): Promise<WorkersView> {
    return this.#get('/v1/workers', signal);
  }

  /** Who paused, resumed, flushed, drained, changed limits or redrove, and when; the latest first. */
  controls({ signal }: Asked = {}): Promise<ControlsView> {
    return this.#get('/v1/controls', signal);
  }

  /** The latest audits, with the progress of the one that runs. */
  audits({ signal }: Asked = {}): Promise<AuditsView> {
    return this.#get('/v1/audits', signal);
  }

  /**
   * Has a worker check its batch files against the guarantees; while an audit runs, returns that one.
   * @example
   * const { auditId } = await keepapart.startAudit({ by: 'Ann' });
   */
  startAudit({ by, signal }: OperatorCall = {}): Promise<AuditView> {
    return this.#operate('/v1/audits', { by }, signal);
  }

  /**
   * Where something is, by the id of a record, a request or a batch, the name of a file, or an `X-Request-Id`.
   * @example
   * const { found } = await keepapart.find('order-4711:0');
   * if (found[0]?.kind === 'record') console.log(found[0].record.state);
   */
  find(query: string, { signal }: Asked = {}): Promise<FindView> {
    return this.#get(`/v1/find${queryOf({ q: query })}`, signal);
  }

  /**
   * Dead letters that were not sent again, counted by error; `redrive({ error })` sends a group again.
   * @example
   * const { groups } = await keepapart.deadLetterGroups();
   * if (groups[0] !== undefined) await keepapart.redrive({ error: groups[0].error }, { by: 'Ann' });
   */
  deadLetterGroups({ signal }: Asked = {}): Promise<DeadLetterGroups> {
    return this.#get('/v1/dead-letters/groups', signal);
  }

  /**
   * The state of everything once a second, until the API stops or `signal` is aborted. However many clients receive
   * events, each batcher is asked once a second. Throws `KeepapartUnreachableError` when the connection breaks: call it
   * again with the id of the last event.
   *
   * @example
   * for await (const { event, data } of client.events())
   *   if (event === 'picture') console.log(data.status?.total.bufferedRecords);
   */
  events(options: EventsOptions = {}): AsyncGenerator<LiveEvent, void> {
    return receiveEvents(this.#connection, options);
  }

  /** Name and rights of the API key. */
  me({ signal }: Asked = {}): Promise<Caller> {
    return this.#get('/v1/me', signal);
  }

  /**
   * Redrives dead letters, each at most once.
   * @example
   * await keepapart.redrive({ records: ['order-4711:0'] }, { by: 'Ann' });
   * await keepapart.redrive({ all: true });
   */
  redrive(selection: RedriveSelection, { by, signal }: OperatorCall = {}): Promise<RedriveAnswer> {
    return this.#operate('/v1/dead-letters/redrive', { ...selection, by }, signal);
  }

  /** Status of each shard, their sums, and the settings in force. Needs a worker. */
  status({ signal }: Asked = {}): Promise<StatusView> {
    return this.#get('/v1/status', signal);
  }

  /** Flushes everything that is buffered now, regardless of its age. */
  flush({ by, signal }: OperatorCall = {}): Promise<OperatorAnswer> {
    return this.#operate('/v1/flush', { by }, signal);
  }

  /** Starts no more batches until `resume`; records are still accepted. */
  pause({ by, signal }: OperatorCall = {}): Promise<OperatorAnswer> {
    return this.#operate('/v1/pause', { by }, signal);
  }

  /** Starts batches again after `pause`. */
  resume({ by, signal }: OperatorCall = {}): Promise<OperatorAnswer> {
    return this.#operate('/v1/resume', { by }, signal);
  }

  /**
   * Changes limits at runtime. `null` resets a limit to the configuration; limits that aren't named stay. Repeating the call
   * is harmless; after `limits-incomplete` it completes the change, and the error's `shards` say what is missing.
   * @example
   * await keepapart.changeLimits({ maxInFlight: 100, flushIntervalMs: null }, { by: 'Ann' });
   */
  changeLimits(patch: LimitsPatch, { by, signal }: OperatorCall = {}): Promise<LimitsAnswer> {
    const body = JSON.stringify({ ...patch, by });
    return call(this.#connection, { method: 'PATCH', path: '/v1/limits', body, signal });
  }

  /**
   * Flushes everything and answers when it has its outcome, or after `timeoutMs` (default 30,000, at most 600,000).
   * @example
   * const { drained, shards } = await keepapart.drain({ by: 'Ann', timeoutMs: 60_000 });
   * if (!drained) console.log(shards.filter(({ paused }) => paused !== null));
   */
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

/** An invalid key would otherwise look like an API that can't be reached. */
function requireKey(key: string): string {
  if (isRequestId(key)) return key;
  throw new TypeError(
    'An idempotency key consists of up to 128 letters, digits and . _ : -, and starts with a letter or digit',
  );
}
