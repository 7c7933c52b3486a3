import type { RequestView } from '../../src/contracts/api/answers/requests';
import type { StatusView } from '../../src/contracts/api/answers/status';
import type { JsonValue } from '../../src/domain/json';
import { ourDocumentedApi } from './documented-api';
import { waitFor } from './wait-for';

/** The calls that end-to-end tests make, as any HTTP client would. An answer that isn't described is an error. */
export function apiOf(url: string) {
  async function call(method: string, path: string, body?: JsonValue): Promise<Response> {
    const response = await fetch(url + path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    await expectDescribed(method, path, response.clone());
    return response;
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

async function expectDescribed(method: string, path: string, response: Response): Promise<void> {
  const api = await ourDocumentedApi();
  const { status } = response;
  const headers = Object.fromEntries(response.headers);
  const body = await response.text();
  const [pathOnly = ''] = path.split('?');
  const result = api.outcomeOf({ method, path: pathOnly, status, headers, body });
  if ('wrong' in result) throw new Error(`not as /openapi.json describes it: ${result.wrong}`);
}

export type Api = ReturnType<typeof apiOf>;
