import type { IncomingMessage } from 'node:http';
import { KeepapartError } from '../../domain/errors';
import { hostOf } from './host';
import type { Step } from '../steps';

/**
 * Refuses requests, other than reads, that a page of another origin makes its visitor's browser send. Without API keys,
 * any page could otherwise pause or drain a keepapart on the visitor's machine, because those calls need no preflight.
 * Browsers report the origin of a request, which pages can't change; other clients report none, and are let through.
 * Throws `cross-origin`.
 */
export const refuseCrossOrigin: Step = (req) => {
  if (!['GET', 'HEAD', 'OPTIONS'].includes(req.method ?? '') && isCrossOrigin(req))
    throw new KeepapartError('cross-origin', 'A page of another origin asked for this; nothing was done');
};

function isCrossOrigin(req: IncomingMessage): boolean {
  const { headers } = req;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin } = headers;
  // Older browsers. The scheme doesn't count: a proxy may have ended TLS.
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === hostOf(req));
}
