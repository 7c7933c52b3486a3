import type { IncomingMessage } from 'node:http';
import { KeepapartError } from '../../domain/errors';
import { hostOf } from './host';
import type { Step } from '../steps';

/**
 * Refuses what a page of another origin makes its visitor's browser send, other than to read: without API keys, any page
 * could pause or drain a keepapart on the visitor's machine, as those calls need no body that the browser would ask us
 * about first. Browsers tell where a request comes from, and pages can't change that; other clients don't, and are let
 * through. Throws `cross-origin`.
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
