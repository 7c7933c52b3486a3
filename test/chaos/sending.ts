import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/domain/duration';
import type { JsonValue } from '../../src/domain/json';
import { LOOPBACK } from '../../src/temporal/embedded/ports';

/** Longer than any answer of the API takes while Temporal is away. */
const ANSWER_LIMIT_MS = 20 * SECOND;

/** How a list gets there: a request with JSON, a stream of lines, or the line protocol. */
export const WAYS = ['list', 'stream', 'line'] as const;
export type Way = (typeof WAYS)[number];

/** What came back. */
export interface Answer {
  /** The status, or that of the same meaning, or why there is none. */
  told: number | 'no answer' | 'no connection';
  requestId?: string;
  /** Of a stream: how many records are durable. */
  accepted?: number;
}

/** Where an API is reached. */
export interface ApiAddress {
  url: () => string;
  tcpPort: number;
}

/** Sends a list once. Never rejects. */
export async function sendOnce(
  way: Way,
  api: ApiAddress,
  key: string | undefined,
  values: readonly JsonValue[],
): Promise<Answer> {
  try {
    if (way === 'line') return await sendLine(api.tcpPort, values);
    return await post(api.url(), key, way === 'stream' ? streamOf(values) : JSON.stringify(values));
  } catch (error) {
    const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    return { told: code === 'ECONNREFUSED' ? 'no connection' : 'no answer' };
  }
}

async function post(
  url: string,
  key: string | undefined,
  body: string | AsyncIterable<Uint8Array>,
): Promise<Answer> {
  const response = await fetch(`${url}/v1/records`, {
    method: 'POST',
    headers: {
      'content-type': typeof body === 'string' ? 'application/json' : 'application/x-ndjson',
      ...(key !== undefined && { 'idempotency-key': `"${key}"` }),
    },
    body: body as RequestInit['body'] & (string | AsyncIterable<Uint8Array>),
    ...(typeof body !== 'string' && { duplex: 'half' }),
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  const { requestId, accepted } = (await response.json()) as { requestId?: string; accepted?: number };
  return {
    told: response.status,
    ...(requestId !== undefined && { requestId }),
    ...(accepted !== undefined && { accepted }),
  };
}

/** A slow one, so that it comes in parts, between which anything may happen. */
async function* streamOf(values: readonly JsonValue[]): AsyncGenerator<Uint8Array> {
  for (const value of values) {
    yield Buffer.from(`${JSON.stringify(value)}\n`);
    await sleep(PAUSE_IN_STREAM_MS);
  }
}
const PAUSE_IN_STREAM_MS = 150;

const SAVED = 'has been save info data: ';

/** Over a connection of its own, of which this side ends with the list. */
async function sendLine(port: number, values: readonly JsonValue[]): Promise<Answer> {
  const socket = connect({ port, host: LOOPBACK, allowHalfOpen: true });
  const limit = setTimeout(() => socket.destroy(new Error('no reply in time')), ANSWER_LIMIT_MS);
  try {
    let reply = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (reply += piece));
    const ended = once(socket, 'end');
    socket.end(JSON.stringify(values));
    await ended;
    return told(reply, values);
  } finally {
    clearTimeout(limit);
    socket.destroy();
  }
}

/** Codes by which the gateway says that it took nothing. */
const NOTHING_TAKEN = /^error (buffer-full|not-ready|too-many-connections)\b/;

function told(reply: string, values: readonly JsonValue[]): Answer {
  if (reply.startsWith(SAVED)) {
    const said = JSON.stringify(JSON.parse(reply.slice(SAVED.length)));
    if (said !== JSON.stringify(values)) throw new Error(`other records were acknowledged: ${said}`);
    return { told: 202 };
  }
  if (NOTHING_TAKEN.test(reply)) return { told: 429 };
  return { told: reply.startsWith('error invalid') ? 400 : 'no answer' };
}
