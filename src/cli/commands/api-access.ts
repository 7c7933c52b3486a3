import type { Command } from 'commander';
import { KeepapartClient, type Retry, type RetryOptions } from '../../client';
import type { Config } from '../../config';
import { isRequestId } from '../../contracts/workflow/ids';
import { SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { tellClientError } from '../process/client-errors';
import { addSettingFlags, API_KEY_VARIABLE, readConfig } from '../process/read-config';

export type Flags = Readonly<Record<string, unknown>>;

/** What a command that talks to the API takes: where it is, and the settings that say so otherwise. */
export function addApiFlags(command: Command): Command {
  return addSettingFlags(command, ['httpHost', 'httpPort', 'tlsCertFile'])
    .option(
      '--url <url>',
      'address of the API (default: http://HTTP_HOST:HTTP_PORT, https with TLS_CERT_FILE)',
    )
    .addHelpText('after', `\nA key that the API needs is taken from ${API_KEY_VARIABLE}.`);
}

/** A client of the API of `--url`, or else of the one that this configuration would start. */
export function openApi(
  flags: Flags,
  retry?: RetryOptions,
  { apiKey }: { apiKey: string | undefined } = { apiKey: process.env[API_KEY_VARIABLE] },
): KeepapartClient {
  const url = apiUrlOf(flags);
  if (apiKey === undefined || apiKey === '') return new KeepapartClient({ url, ...(retry && { retry }) });
  if (!/^[\x21-\x7e]+$/.test(apiKey))
    throw new KeepapartError(
      'invalid-config',
      `${API_KEY_VARIABLE} has to be of printable ASCII characters, without spaces and line ends.`,
    );
  return new KeepapartClient({ url, apiKey, ...(retry && { retry }) });
}

/** Where the API is, without a slash at the end. */
export function apiUrlOf(flags: Flags): string {
  return apiUrl(readConfig(flags).config, flags['url']).replace(/\/+$/, '');
}

function apiUrl({ httpHost, httpPort, tlsCertFile }: Config, url: unknown): string {
  if (typeof url === 'string') {
    if (/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) return url;
    throw new KeepapartError('invalid-config', `--url has to be like http://127.0.0.1:3000; it is ${url}.`);
  }
  if (httpPort === 0)
    throw new KeepapartError(
      'invalid-config',
      'HTTP_PORT is 0, any free port: pass the address of the API with --url.',
    );
  const host = httpHost.includes(':') ? `[${httpHost}]` : httpHost;
  return `${tlsCertFile === '' ? 'http' : 'https'}://${host}:${httpPort}`;
}

/**
 * For how long a command sends again what the API couldn't take yet, telling each wait. It begins slower than programs
 * do: a person reads along.
 */
export function retryFor(flag: unknown): RetryOptions {
  const maxElapsedMs = secondsOf('--retry-for', flag);
  return { maxElapsedMs, maxAttempts: Infinity, initialDelayMs: 1 * SECOND, onRetry: tellRetry };
}

export function tellRetry({ error, delayMs }: Retry): void {
  const seconds = (delayMs / SECOND).toFixed(1);
  process.stderr.write(`keepapart: ${tellClientError(error)}, trying again in ${seconds} s\n`);
}

/** Refuses what can't be an Idempotency-Key. */
export function requireKey(key: string): void {
  if (isRequestId(key)) return;
  throw new KeepapartError(
    'invalid-config',
    `--key has to be of up to 128 letters, digits and . _ : -, the first a letter or digit; it is ${key}.`,
  );
}

/** A flag of whole seconds, in milliseconds. */
export function secondsOf(name: string, flag: unknown): number {
  if (typeof flag === 'string' && /^\d{1,6}$/.test(flag)) return Number(flag) * SECOND;
  throw new KeepapartError('invalid-config', `${name} has to be whole seconds; it is ${String(flag)}.`);
}
