import { unreachable, valueOf, type RawAnswer } from './answers';

/** Where the API is, and how to call it. */
export interface Connection {
  /** Without a trailing slash. */
  url: string;
  apiKey: string | undefined;
  fetch: typeof globalThis.fetch;
  /** Maximum time for one answer, in milliseconds. */
  timeoutMs: number;
}

export interface Call {
  method: 'GET' | 'POST' | 'PATCH';
  /** Including its query. */
  path: string;
  /** JSON text. */
  body?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Overrides the connection's value. */
  timeoutMs?: number;
}

/** Makes one call, without retries. @throws `KeepapartApiError`, `KeepapartUnreachableError`, or the signal's reason */
export async function call<T>(connection: Connection, { method, path, body, ...options }: Call): Promise<T> {
  const { url, fetch } = connection;
  const { headers, signal, timeoutMs = connection.timeoutMs } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: RawAnswer;
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...authorization(connection),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const retryAfter = response.headers.get('retry-after');
    answer = { status: response.status, retryAfter, text: await response.text() };
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(url, error);
  }
  return valueOf(url, answer) as T;
}

/** The header with the API key; none without a key. */
export function authorization({ apiKey }: Connection): Record<string, string> {
  return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
}

/** `?name=value&…` for the parameters that are set, or an empty text. */
export function queryOf(parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query.toString()}`;
}
