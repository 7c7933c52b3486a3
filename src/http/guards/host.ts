import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import { KeepapartError } from '../../domain/errors';
import { describeReceived } from '../../domain/field-problems';
import type { Step } from '../steps';

/** Whether requests for a host name are answered, and how an operator would allow it. */
export type AllowedHosts = 'any' | readonly string[];

/**
 * Refuses what doesn't tell its host, once, as HTTP/1.1 asks (RFC 9112, section 3.2; Node's own refusal has no problem
 * details, and it lets two through): `malformed-request`. And what was sent to a name that isn't ours: `unknown-host`.
 * A page whose own name leads to the visitor's machine is of our origin in the browser's eyes, and could read and do
 * everything; that it calls us by its name gives it away. Addresses and localhost can't be pointed at anybody else.
 * @param allowed further names, in lower case, without ports; or `any`, where everybody has to show a key anyway
 */
export function requireHost(allowed: AllowedHosts): Step {
  const isOurs = allowed === 'any' ? () => true : remembering((host) => isOneOf(allowed, host));
  return (req) => {
    if ((req.headers.host === undefined && req.httpVersion === '1.1') || tellsItTwice(req.rawHeaders))
      throw new KeepapartError('malformed-request', 'The header has to tell the host, once');
    const host = hostOf(req);
    if (host !== undefined && !isOurs(host))
      throw new KeepapartError(
        'unknown-host',
        `Requests are taken for addresses, localhost and the names in ALLOWED_HOSTS; received ${describeReceived(host)}`,
      );
  };
}

/**
 * The host that a request is for. A target with a host in it says so alone, whatever the header says (RFC 9112,
 * section 3.2.2).
 */
export function hostOf({ url = '', headers }: IncomingMessage): string | undefined {
  return url.startsWith('/') || !URL.canParse(url) ? headers.host : new URL(url).host;
}

/** @param rawHeaders names and values in turn */
function tellsItTwice(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count > 1;
}

/** Nearly all requests have one of a few hosts. */
function remembering(judge: (host: string) => boolean): (host: string) => boolean {
  const judged = new LRUCache<string, boolean>({ max: 100 });
  return (host) => {
    const known = judged.get(host);
    if (known !== undefined) return known;
    const judgement = judge(host);
    judged.set(host, judgement);
    return judgement;
  };
}

function isOneOf(allowed: readonly string[], host: string): boolean {
  const url = `http://${host}`;
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 || /^(.+\.)?localhost$/.test(hostname) || allowed.includes(hostname);
}
