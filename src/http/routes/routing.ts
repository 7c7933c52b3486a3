import type { RequestHandler, Response, Router } from 'express';
import { KeepapartError } from '../../domain/errors';
import type { Right } from '../../domain/rights';
import { requireRight } from '../guards/auth';
import type { Operation } from '../openapi/operation';
import { noteRoute } from '../request-log';
import { inOrder } from '../steps';

/** What a path does for one method. */
export interface Endpoint {
  /** What the caller's API key has to allow; `none` is for what stands outside of `/v1`, where nobody asks for a key. */
  right: Right | 'none';
  handle: RequestHandler;
  /** `page` is for what people open in a browser: no part of the API. */
  describe: Operation | 'page';
}

const METHODS = ['get', 'post', 'patch'] as const;
type Method = (typeof METHODS)[number];

/** What a path can be asked to do. `GET` answers `HEAD` as well. */
export type Methods = Partial<Record<Method, Endpoint>>;

/** An operation as it is served. */
export interface ServedOperation extends Operation {
  method: Method;
  /** As clients see it, with `{name}` for what varies. */
  path: string;
  right: Endpoint['right'];
}

/** What is served under a prefix. */
export interface Routes {
  readonly router: Router;
  /** In the order in which they were added. */
  readonly operations: readonly ServedOperation[];
  /**
   * The one way to a route: serves a path to whoever has the right that each method declares, and answers every other
   * method on it with 405 and the ones that are allowed.
   */
  serve(path: string, methods: Methods): void;
}

/** @param prefix where the router will be mounted; `''` for the root */
export function createRoutes(router: Router, prefix: string): Routes {
  const operations: ServedOperation[] = [];
  return {
    router,
    operations,
    serve(path, methods) {
      const route = router.route(path);
      const allowed: string[] = [];
      const seen = `${prefix}${path}`.replaceAll(/:(\w+)/g, '{$1}');
      route.all(inOrder(noteRoute(seen)));
      for (const method of METHODS) {
        const endpoint = methods[method];
        if (!endpoint) continue;
        const { right, handle, describe } = endpoint;
        if (right !== 'none') route[method](inOrder(requireRight(right)));
        route[method](handle);
        allowed.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
        if (describe !== 'page') operations.push({ ...describe, method, path: seen, right });
      }
      const allow = allowed.join(', ');
      route.all((req, res: Response) => {
        res.set('Allow', allow);
        throw new KeepapartError('method-not-allowed', `${req.baseUrl}${req.path} takes ${allow}`);
      });
    },
  };
}
