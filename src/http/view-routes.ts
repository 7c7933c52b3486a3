import type { RequestHandler, Router } from 'express';
import type { BatcherClient } from '../contracts/batcher-client';
import { KeepapartError } from '../domain/errors';
import { validate } from '../edge/problems';
import { serve } from './routing';
import { batchesQuerySchema, idSchema } from './schemas';

/** `GET /v1/requests/{requestId}`, `/v1/batches`, `/v1/batches/{batchId}`, `/v1/status`. */
export function serveViews(router: Router, batcher: BatcherClient): void {
  const getRequest: RequestHandler = async (req, res) => {
    const requestId = idSchema.safeParse(req.params['requestId']).data;
    const view = requestId === undefined ? undefined : await batcher.request(requestId);
    if (!view)
      throw new KeepapartError('request-not-found', 'It was never accepted, or longer ago than is kept');
    res.json(view);
  };

  const getBatches: RequestHandler = async (req, res) => {
    const detail = 'The query is not valid';
    // Copied: the query parser's object has no prototype. Fields are parameter names.
    const filter = validate(batchesQuerySchema, { ...req.query }, detail, (path) => path.join('.'));
    res.json(await batcher.batches(filter));
  };

  const getBatch: RequestHandler = async (req, res) => {
    const batchId = idSchema.safeParse(req.params['batchId']).data;
    const view = batchId === undefined ? undefined : await batcher.batch(batchId);
    if (!view) throw new KeepapartError('batch-not-found', 'It never was, or closed longer ago than is kept');
    res.json(view);
  };

  const getStatus: RequestHandler = async (_req, res) => {
    res.json(await batcher.status());
  };

  serve(router, '/requests/:requestId', { get: { right: 'read', handle: getRequest } });
  serve(router, '/batches', { get: { right: 'read', handle: getBatches } });
  serve(router, '/batches/:batchId', { get: { right: 'read', handle: getBatch } });
  serve(router, '/status', { get: { right: 'read', handle: getStatus } });
}
