import type { Config } from '../config';
import { ERRORS, KeepapartError, type ErrorCode } from '../domain/errors';
import { API_KEY_VARIABLE } from './read-config';

/** How Node tells that a certificate was refused, whatever is wrong with it. */
const UNTRUSTED = /CERT|^UNABLE_TO_/;

/** Where the API is that a command talks to, and the key that it may need. */
export interface ApiTarget {
  url: string;
  key: string | undefined;
}

/** The API of `--url`, or else the one that this configuration would start; the key of `KEEPAPART_API_KEY`. */
export function apiTarget({ httpHost, httpPort, tlsCertFile }: Config, url: unknown): ApiTarget {
  const key = process.env[API_KEY_VARIABLE] || undefined;
  if (typeof url === 'string') {
    if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
      throw new KeepapartError('invalid-config', `--url has to be like http://127.0.0.1:3000; it is ${url}.`);
    return { url: url.replace(/\/+$/, ''), key };
  }
  if (httpPort === 0)
    throw new KeepapartError(
      'invalid-config',
      'HTTP_PORT is 0, any free port: tell by --url where the API is.',
    );
  const host = httpHost.includes(':') ? `[${httpHost}]` : httpHost;
  return { url: `${tlsCertFile === '' ? 'http' : 'https'}://${host}:${httpPort}`, key };
}

/**
 * Calls of commands to the HTTP API. A refusal is thrown with the code of its problem details, an API that doesn't answer
 * as `api-unreachable`.
 */
export function createApiClient({ url, key }: ApiTarget) {
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { ok, status, text } = await answerOf(`${url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = parsed(text);
    if (!ok || answer === undefined) throw refusalOf(status, answer, key !== undefined);
    return answer as T;
  }

  async function answerOf(address: string, init: RequestInit) {
    try {
      const response = await fetch(address, init);
      return { ok: response.ok, status: response.status, text: await response.text() };
    } catch (cause) {
      const reason = (cause as { cause?: { code?: string } }).cause?.code ?? String(cause);
      if (UNTRUSTED.test(reason))
        throw new KeepapartError(
          'api-unreachable',
          `The certificate of ${url} is not trusted (${reason}): tell by NODE_EXTRA_CA_CERTS which file to trust, or by ` +
            '--url the name that it is for.',
          { cause },
        );
      throw new KeepapartError(
        'api-unreachable',
        `No keepapart API answers at ${url} (${reason}): start it, or tell by --url where it is.`,
        { cause },
      );
    }
  }

  function refusalOf(status: number, answer: unknown, withKey: boolean): KeepapartError {
    const problem = answer as { code?: string; detail?: string; problems?: FieldText[] } | undefined;
    if (problem?.code === undefined || !(problem.code in ERRORS))
      return new KeepapartError('api-unreachable', `${url} is no keepapart API: it answered ${status}.`);
    if (problem.code === 'unauthorized') {
      const todo = withKey ? `the one in ${API_KEY_VARIABLE} is not in force` : `set ${API_KEY_VARIABLE}`;
      return new KeepapartError('unauthorized', `The API at ${url} needs a key: ${todo}.`);
    }
    const places = (problem.problems ?? []).map(
      ({ field, expected, received }) => `\n  ${field}: expected ${expected}; received ${received}`,
    );
    return new KeepapartError(problem.code as ErrorCode, `${problem.detail ?? ''}${places.join('')}`);
  }

  return {
    get: <T>(path: string) => call<T>('GET', path),
    post: <T>(path: string, body: unknown) => call<T>('POST', path, body),
  };
}

export type ApiClient = ReturnType<typeof createApiClient>;

interface FieldText {
  field: string;
  expected: string;
  received: string;
}

/** `undefined` when it isn't JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
