import { signal } from '@preact/signals';
import { SECOND } from '../domain/duration';
import type { FieldProblem } from '../domain/field-problems';

const KEY = 'keepapart-key';

/** What the page was served with: `''` where the server said nothing. */
export function factOf(name: 'version' | 'keys' | 'mount' | 'temporal' | 'failing-example'): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="keepapart-${name}"]`)?.content ?? '';
}

/** Where another app has mounted the API; `''` at the root. */
export const MOUNT = factOf('mount');

export const KEYS_REQUIRED = factOf('keys') === 'required';

/** Whether what somebody does is theirs by their key, or by what the app around the API knows of them. */
export const CALLER_KNOWN = KEYS_REQUIRED || factOf('keys') === 'host';

/** The app around the API may know its users by cookies; keepapart itself has none. */
export const CREDENTIALS = factOf('keys') === 'host' ? 'same-origin' : 'omit';

/** The API key, for as long as this tab is open; empty while there is none. No cookie, so no other page can use it. */
export const apiKey = signal(sessionStorage.getItem(KEY) ?? '');

/** Keeps a key for this tab, or forgets it. */
export function keepKey(key: string): void {
  if (key === '') sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, key);
  apiKey.value = key;
}

/** What the API refused, or that it can't be reached (`code` is `unreachable`). */
export class ApiProblem extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    detail: string,
    readonly problems: readonly FieldProblem[] = [],
    /** The right that the key lacks, on `forbidden`. */
    readonly lacks?: string,
  ) {
    super(detail);
  }

  /** Everything that is known, for people. */
  get lines(): string[] {
    return [
      this.message,
      ...this.problems.map(
        ({ field, expected, received }) => `${field}: expected ${expected}; received ${received}`,
      ),
    ];
  }
}

/** Any error as one that can be shown. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem('unreachable', 0, error instanceof Error ? error.message : String(error));
}

interface Ask {
  method?: 'GET' | 'POST' | 'PATCH';
  body?: unknown;
  /** Makes a repeated call harmless. */
  idempotencyKey?: string | undefined;
  /** Default 15 s: without a worker the API says so after ten. */
  timeoutMs?: number;
}

/** Asks the API. Throws an {@link ApiProblem}. */
export async function ask<T>(
  path: string,
  { method = 'GET', body, idempotencyKey, timeoutMs = 15 * SECOND }: Ask = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(MOUNT + path, {
      method,
      headers: {
        ...(apiKey.value !== '' && { Authorization: `Bearer ${apiKey.value}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
      credentials: CREDENTIALS,
      cache: 'no-store',
    });
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === 'TimeoutError';
    const why = isLate ? `The API has not answered for ${timeoutMs / SECOND} s` : 'The API can’t be reached';
    throw new ApiProblem('unreachable', 0, why);
  }
  if (!response.ok) throw await problemOfAnswer(response);
  return (await response.json().catch(() => undefined)) as T;
}

/** What a refusal says. */
export async function problemOfAnswer(response: Response): Promise<ApiProblem> {
  const answer = (await response.json().catch(() => undefined)) as unknown;
  const { code, detail, title, problems } = (answer ?? {}) as {
    code?: string;
    detail?: string;
    title?: string;
    problems?: FieldProblem[];
  };
  const lacks = /scope="(\w+)"/.exec(response.headers.get('WWW-Authenticate') ?? '')?.[1];
  const text = detail ?? title ?? `The API answered ${response.status}`;
  return new ApiProblem(code ?? 'unknown', response.status, text, problems, lacks);
}
