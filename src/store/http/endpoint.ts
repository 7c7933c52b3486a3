import { SECOND } from '../../domain/duration';
import { KeepapartError, type ErrorCode } from '../../domain/errors';
import { isObject } from '../../domain/json';
import type { KeptRecord } from '../../domain/records/record';
import type { BatchSaver, SaveOutcome, StoreCall } from '../own/definition';
import { createExchange, type Answer, type ExchangeOptions } from './exchange';
import { signedHeaders } from './signing';

export interface EndpointOptions extends ExchangeOptions {
  /** `whsec_` and a key in Base64; requests have a signature for each. */
  secrets: readonly string[];
}

/** An endpoint that stores batches. */
export type Endpoint = Required<BatchSaver>;

/** Types of messages: `batch.save` to store records, `batch.undo` to remove what is left of them. */
const MESSAGE = { save: 'batch.save', undo: 'batch.undo' } as const;

/** Maximum size of an answer: a base, and a part per record. */
const MAX_ANSWER_BYTES = { perRecord: 2048, base: 16_384 } as const;

/** Maximum length of an answer that is quoted in a message. */
const MAX_QUOTED = 200;

/**
 * Statuses which mean that the endpoint itself is unavailable, regardless of the records: it doesn't exist, denies access,
 * is busy or down.
 */
const AWAY = new Set([401, 402, 403, 404, 405, 407, 408, 410, 421, 425, 426, 429, 502, 503, 504]);

/** Statuses which refuse the whole request permanently. */
const REFUSED = new Set([400, 406, 409, 411, 412, 413, 414, 415, 422, 431, 451]);

/**
 * Stores batches with signed HTTP requests, one per batch, as defined by Standard Webhooks. The body is
 * `{"type":"batch.save","timestamp":"…","data":{"batchId","openedAt","attempt","records":[{"recordId","value"},…]}}`. A 2xx
 * answer contains `{"outcomes":[…]}`, a {@link SaveOutcome} for each record; 204 means "saved" for all.
 */
export function createEndpoint({ secrets, ...options }: EndpointOptions): Endpoint {
  const exchange = createExchange(options);

  async function send(
    type: keyof typeof MESSAGE,
    records: readonly KeptRecord[],
    { batchId, openedAtMs, attempt, signal }: StoreCall,
  ): Promise<Answer> {
    const atMs = Date.now();
    const body = JSON.stringify({
      type: MESSAGE[type],
      timestamp: new Date(atMs).toISOString(),
      data: { batchId, openedAt: new Date(openedAtMs).toISOString(), attempt, records },
    });
    // The same id each time the batch is sent, so that receivers recognise repeats.
    const id = type === 'save' ? batchId : `${batchId}.undo`;
    const headers = { 'content-type': 'application/json', 'user-agent': 'keepapart' };
    const maxBytes = MAX_ANSWER_BYTES.base + records.length * MAX_ANSWER_BYTES.perRecord;
    const signed = signedHeaders({ id, atMs, body }, secrets);
    return exchange.post(body, { ...headers, ...signed }, maxBytes, signal);
  }

  return {
    async saveBatch(records, call) {
      const answer = await send('save', records, call);
      if (answer.status === 204) return records.map(() => 'saved');
      if (answer.status >= 200 && answer.status < 300) return outcomesIn(answer);
      if (REFUSED.has(answer.status))
        return records.map(() => ({ outcome: 'rejected', reason: said(answer) }));
      throw failureOf(answer, 'save-failed');
    },
    async undo(records, call) {
      const answer = await send('undo', records, call);
      if (answer.status < 200 || answer.status >= 300) throw failureOf(answer, 'store-failed');
    },
    close: () => exchange.close(),
  };
}

/** The outcomes in an answer; the caller validates them. */
function outcomesIn(answer: Answer): readonly SaveOutcome[] {
  let outcomes: unknown;
  try {
    const parsed: unknown = JSON.parse(answer.body);
    outcomes = isObject(parsed) ? parsed['outcomes'] : undefined;
  } catch {
    // Reported below.
  }
  if (Array.isArray(outcomes)) return outcomes as readonly SaveOutcome[];
  throw new KeepapartError(
    'save-failed',
    `${said(answer)}: expected {"outcomes":[…]} with an outcome for each record`,
  );
}

function failureOf(answer: Answer, fallback: ErrorCode): KeepapartError {
  const retryAfterMs = retryAfterOf(answer);
  const isRedirect = answer.status >= 300 && answer.status < 400;
  const detail = isRedirect
    ? `${said(answer)}: redirects are not followed; STORE_URL must be the final address`
    : said(answer);
  const code = isRedirect || AWAY.has(answer.status) ? 'store-away' : fallback;
  return new KeepapartError(code, detail, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** `Retry-After` in milliseconds, from seconds or a date; undefined if there is none. */
function retryAfterOf({ headers }: Answer): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * SECOND;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now());
}

function said({ status, body }: Answer): string {
  const text = body.slice(0, MAX_QUOTED).replace(/\s+/g, ' ').trim();
  return `the endpoint answered ${status}${text === '' ? '' : `: ${text}`}`;
}
