import type { BatchView, RequestView, StatusView } from '../../contracts/views';
import type { JsonValue } from '../../domain/json';
import { SECOND } from '../../domain/duration';

/** The few calls that the demo makes, as any client would. Throws an `Error` that quotes the answer on a refusal. */
export function apiCalls(baseUrl: string) {
  async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(`${baseUrl}${path}`, {
      ...init,
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(15 * SECOND),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${init.method ?? 'GET'} ${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  return {
    send: (values: JsonValue[]) =>
      call<{ requestId: string; records: { recordId: string; value: JsonValue }[] }>('/v1/records', {
        method: 'POST',
        body: JSON.stringify(values),
      }),
    request: (requestId: string) => call<RequestView>(`/v1/requests/${encodeURIComponent(requestId)}`),
    batch: (batchId: string) => call<BatchView>(`/v1/batches/${encodeURIComponent(batchId)}`),
    status: () => call<StatusView>('/v1/status'),
  };
}

export type ApiCalls = ReturnType<typeof apiCalls>;
