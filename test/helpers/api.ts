import type { RequestView, StatusView } from '../../src/contracts/views';
import type { JsonValue } from '../../src/domain/json';
import { waitFor } from './wait-for';

/** The calls that end-to-end tests make, as any HTTP client would. */
export function apiOf(url: string) {
  async function call(method: string, path: string, body?: JsonValue): Promise<Response> {
    return fetch(url + path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
  }
  async function json<T>(method: string, path: string, status: number, body?: JsonValue): Promise<T> {
    const response = await call(method, path, body);
    const text = await response.text();
    if (response.status !== status) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
  return {
    call,
    send: (values: JsonValue[]) =>
      json<{ requestId: string; records: { recordId: string; value: JsonValue }[] }>(
        'POST',
        '/v1/records',
        202,
        values,
      ),
    post: (path: string, body?: JsonValue) => json<unknown>('POST', path, 202, body),
    get: <T>(path: string) => json<T>('GET', path, 200),
    status: () => json<StatusView>('GET', '/v1/status', 200),
    request: (requestId: string) => json<RequestView>('GET', `/v1/requests/${requestId}`, 200),
    /** Waits until `accepted` records have their outcome and nothing is under way. */
    settled: (accepted: number, timeoutMs?: number) =>
      waitFor(
        `${accepted} records to be settled`,
        async () => {
          const { total } = await json<StatusView>('GET', '/v1/status', 200);
          const { saved, rolledBack } = total.counters;
          return saved + rolledBack >= accepted && total.inFlight === 0 && total;
        },
        { intervalMs: 200, ...(timeoutMs !== undefined && { timeoutMs }) },
      ),
  };
}

export type Api = ReturnType<typeof apiOf>;
