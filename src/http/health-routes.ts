import type { RequestHandler, Router } from 'express';
import { KeepapartError } from '../domain/errors';
import type { HttpDeps } from './deps';
import { serve } from './routing';

/** `/healthz`: the process is up. `/readyz`: it takes records, and Temporal answers. */
export function serveHealth(router: Router, { batcher, isDraining }: HttpDeps): void {
  const getHealth: RequestHandler = (_req, res) => {
    res.json({ status: 'ok' });
  };
  const getReadiness: RequestHandler = async (_req, res) => {
    if (isDraining()) throw new KeepapartError('not-ready', 'This process is about to stop');
    await batcher.checkReady();
    res.json({ status: 'ready' });
  };
  serve(router, '/healthz', { get: { right: 'none', handle: getHealth } });
  serve(router, '/readyz', { get: { right: 'none', handle: getReadiness } });
}
