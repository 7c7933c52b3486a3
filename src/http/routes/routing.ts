import type { RequestHandler, Response, Router } from 'express';
import { KeepapartError } from '../../domain/errors';
import type { Right } from '../../domain/rights';
import type { FastRoute, PlainHandler } from '../fast-path';
import { requireRight } from '../guards/auth';
import type { Operation } from '../openapi/operation';
import { noteRoute } from '../request-log';
import { inOrder } from '../steps';

/** What a path does for one method. */
export interface Endpoint {
  /** The right that the caller's API key needs; `none` for paths outside `/v1` that require no key. */
  right: Right | 'none';
  handle: RequestHandler;
  /** Handles requests for exactly this path with exactly this content type, without Express; see `fast-path.ts`. */
  fast?: { contentType: string; handle: PlainHandler };
  /** `page` for what people open in a browser, which is not part of the API. */
  describe: Operation | 'page';
}

const METHODS = ['get', 'post', 'patch'] as const;
type Method = (typeof METHODS)[number];

/** The methods of a path. `GET` answers `HEAD` as well. */
export type Methods = Partial<Record<Method, Endpoint>>;

/** A served operation. */
export interface ServedOperation extends Operation {
  method: Method;
  /** As clients see it, with `{name}` for parameters. */
  path: string;
  right: Endpoint['right'];
}

/** What is served under a prefix. */
export interface Routes {
  readonly router: Router;
  /** In the order in which they were added. */
  readonly operations: readonly ServedOperation[];
  /** Those with a fast handler. */
  readonly fastRoutes: readonly FastRoute[];
  /**
   * The only way to add a route: serves a path to callers with the right that each method declares, and answers every
   * other method with 405 and the allowed ones.
   */
  serve(path: string, methods: Methods): void;
}

/** @param prefix where the router will be mounted; `''` for the root */
export function createRoutes(router: Router, prefix: string): Routes {
  const operations: ServedOperation[] = [];
  const fastRoutes: FastRoute[] = [];
  return {
    router,
    operations,
    fastRoutes,
    serve(path, methods) {
      const route = router.route(path);
      const allowed: string[] = [];
      const seen = `${prefix}${path}`.replaceAll(/:(\w+)/g, '{$1}');
      const note = noteRoute(seen);
      route.all(inOrder(note));
      for (const method of METHODS) {
        const endpoint = methods[method];
        if (!endpoint) continue;
        const { right, handle, fast, describe } = endpoint;
        const guards = right === 'none' ? [] : [requireRight(right)];
        route[method](inOrder(...guards), handle);
        if (fast !== undefined)
          fastRoutes.push({ ...fast, method: method.toUpperCase(), target: seen, steps: [note, ...guards] });
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
