import type { RequestHandler, Response, Router } from 'express';
import { KeepapartError } from '../domain/errors';
import type { Right } from '../domain/rights';
import { requireRight } from './auth';

/** What a path does for one method. */
export interface Endpoint {
  /** What the caller's API key has to allow; `none` is for what stands outside of `/v1`, where nobody asks for a key. */
  right: Right | 'none';
  handle: RequestHandler;
}

const METHODS = ['get', 'post', 'patch'] as const;

/** What a path can be asked to do. `GET` answers `HEAD` as well. */
export type Methods = Partial<Record<(typeof METHODS)[number], Endpoint>>;

/**
 * The one way to a route: serves a path to whoever has the right that each method declares, and answers every other
 * method on it with 405 and the ones that are allowed.
 */
export function serve(router: Router, path: string, methods: Methods): void {
  const route = router.route(path);
  const allowed: string[] = [];
  for (const method of METHODS) {
    const endpoint = methods[method];
    if (!endpoint) continue;
    if (endpoint.right !== 'none') route[method](requireRight(endpoint.right));
    route[method](endpoint.handle);
    allowed.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  }
  const allow = allowed.join(', ');
  route.all((req, res: Response) => {
    res.set('Allow', allow);
    throw new KeepapartError('method-not-allowed', `${req.baseUrl}${req.path} takes ${allow}`);
  });
}
