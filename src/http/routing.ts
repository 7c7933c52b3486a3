import type { RequestHandler, Response, Router } from 'express';
import { KeepapartError } from '../domain/errors';

/** What a path can be asked to do. `GET` answers `HEAD` as well. */
export interface Methods {
  get?: RequestHandler;
  post?: RequestHandler;
}

/** Serves a path, and answers every other method on it with 405 and the ones that are allowed. */
export function serve(router: Router, path: string, methods: Methods): void {
  const route = router.route(path);
  const allowed: string[] = [];
  if (methods.get) {
    route.get(methods.get);
    allowed.push('GET', 'HEAD');
  }
  if (methods.post) {
    route.post(methods.post);
    allowed.push('POST');
  }
  const allow = allowed.join(', ');
  route.all((req, res: Response) => {
    res.set('Allow', allow);
    throw new KeepapartError('method-not-allowed', `${req.baseUrl}${req.path} takes ${allow}`);
  });
}
