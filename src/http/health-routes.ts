import type { RequestHandler } from 'express';
import { KeepapartError } from '../domain/errors';
import { healthSchema } from './answers';
import type { HttpDeps } from './deps';
import type { Operation } from './operation';
import type { Routes } from './routing';

/** `/healthz`: the process is up. `/readyz`: it takes records, and Temporal answers. */
export function serveHealth(routes: Routes, { batcher, isDraining }: HttpDeps): void {
  const getHealth: RequestHandler = (_req, res) => {
    res.json({ status: 'ok' });
  };
  const getReadiness: RequestHandler = async (_req, res) => {
    if (isDraining()) throw new KeepapartError('not-ready', 'This process is about to stop');
    const { storeAwaySince } = await batcher.checkReady();
    // Records are taken all the same; why it is away is for those who may read the status.
    res.json({ status: 'ready', ...(storeAwaySince !== null && { storeAwaySince }) });
  };
  routes.serve('/healthz', { get: { right: 'none', handle: getHealth, describe: HEALTH } });
  routes.serve('/readyz', { get: { right: 'none', handle: getReadiness, describe: READINESS } });
}

const HEALTH: Operation = {
  operationId: 'getHealth',
  summary: 'Answers while the process is up',
  answer: { status: 200, schema: healthSchema },
};

const READINESS: Operation = {
  operationId: 'getReadiness',
  summary: 'Tells whether records are taken and Temporal answers, and since when the store is away',
  answer: { status: 200, schema: healthSchema },
  errors: ['not-ready', 'temporal-unavailable', 'internal'],
};
