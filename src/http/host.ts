import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { describeReceived, KeepapartError } from '../domain/errors';

/** Whether requests for a host name are answered, and how an operator would allow it. */
export type AllowedHosts = 'any' | readonly string[];

/**
 * Refuses what doesn't tell its host, once, as HTTP/1.1 asks (RFC 9112, section 3.2; Node's own refusal has no problem
 * details, and it lets two through): `malformed-request`. And what was sent to a name that isn't ours: `unknown-host`.
 * A page whose own name leads to the visitor's machine is of our origin in the browser's eyes, and could read and do
 * everything; that it calls us by its name gives it away. Addresses and localhost can't be pointed at anybody else.
 * @param allowed further names, in lower case, without ports; or `any`, where everybody has to show a key anyway
 */
export function requireHost(allowed: AllowedHosts): RequestHandler {
  return (req, _res, next) => {
    const hosts = req.headersDistinct['host'] ?? [];
    const [host] = hosts;
    if (hosts.length > 1 || (host === undefined && req.httpVersion === '1.1'))
      throw new KeepapartError('malformed-request', 'The header has to tell the host, once');
    if (allowed !== 'any' && host !== undefined && !isOurs(host, allowed))
      throw new KeepapartError(
        'unknown-host',
        `Without API keys requests are taken for addresses, localhost and ALLOWED_HOSTS; received ${describeReceived(host)}`,
      );
    next();
  };
}

function isOurs(host: string, allowed: readonly string[]): boolean {
  const url = `http://${host}`;
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 || /^(.+\.)?localhost$/.test(hostname) || allowed.includes(hostname);
}
