import type { RequestHandler } from 'express';
import { SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { healthSchema, type Health } from '../../contracts/api/answers/simple';
import type { HttpDeps } from '../deps';
import type { Operation } from '../openapi/operation';
import type { Routes } from './routing';

interface HealthDeps extends Pick<HttpDeps, 'isDraining'> {
  batcher: Pick<HttpDeps['batcher'], 'checkReady'>;
}

/** `/healthz`: the process is up. `/readyz`: it takes records, and Temporal answers. */
export function serveHealth(routes: Routes, { batcher, isDraining }: HealthDeps): void {
  const checkReady = sharedFor(READY_FOR_MS, () => batcher.checkReady());
  const getHealth: RequestHandler = (_req, res) => {
    res.json({ status: 'ok' } satisfies Health);
  };
  const getReadiness: RequestHandler = async (_req, res) => {
    if (isDraining()) throw new KeepapartError('not-ready', 'This process is about to stop');
    const { storeAwaySince } = await checkReady();
    // Records are still accepted; the reason is only for callers who may read the status.
    const answer: Health = { status: 'ready', ...(storeAwaySince !== null && { storeAwaySince }) };
    res.json(answer);
  };
  routes.serve('/healthz', { get: { right: 'none', handle: getHealth, describe: HEALTH } });
  routes.serve('/readyz', { get: { right: 'none', handle: getReadiness, describe: READINESS } });
}

/** Anybody may call this as often as they like, so Temporal is asked at most once in this time. */
const READY_FOR_MS = SECOND;

/** Shares one call among all callers while it is pending, and for `forMs` after it began. */
function sharedFor<T>(forMs: number, call: () => Promise<T>): () => Promise<T> {
  let last: { call: Promise<T>; begunAtMs: number; over: boolean } | undefined;
  return () => {
    if (last !== undefined && (!last.over || performance.now() - last.begunAtMs < forMs)) return last.call;
    const made = { call: call(), begunAtMs: performance.now(), over: false };
    last = made;
    const end = () => void (made.over = true);
    made.call.then(end, end);
    return made.call;
  };
}

const HEALTH: Operation = {
  operationId: 'getHealth',
  summary: 'Answers while the process is running',
  answer: { status: 200, schema: healthSchema },
};

const READINESS: Operation = {
  operationId: 'getReadiness',
  summary:
    'Reports whether records are accepted and Temporal answers, and since when the store has been unavailable',
  answer: { status: 200, schema: healthSchema },
  errors: ['not-ready', 'temporal-unavailable', 'internal'],
};
