import express, { Router } from 'express';
import type { Express } from 'express';
import { requireApiKey, requireRight } from './guards/auth';
import { serveDeadLetters } from './routes/dead-letter-routes';
import type { HttpDeps } from './deps';
import { serveDocs } from './routes/docs-routes';
import { serveDrain } from './routes/drain-routes';
import { refuseCrossOrigin } from './guards/cross-origin';
import { serveDashboard } from './routes/dashboard-routes';
import { closeWhileDraining, refuseWhileDraining } from './guards/draining';
import type { RequestHandler } from './problems/error-boundary';
import { fixedHeaders } from './guards/headers';
import { serveHealth } from './routes/health-routes';
import { requireHost } from './guards/host';
import { serveLimits } from './routes/limits-routes';
import { describeApi } from './routes/openapi-document';
import { serveOperator } from './routes/operator-routes';
import { lastHandler, notFound, problemResponse } from './problems/problem-response';
import { rateLimit } from './guards/rate-limit';
import { listHandler, serveRecords } from './routes/records-routes';
import { noteRoute, requestLog, tellOfStrangers } from './request-log';
import { METRICS_PATH, serveMetrics } from './routes/metrics-route';
import { createRoutes } from './routes/routing';
import { inOrder, type Step } from './steps';
import { straight } from './straight';
import { serveViews } from './routes/view-routes';

const V1 = '/v1';

/** The HTTP API, which never listens by itself (see `listen.ts`). */
export interface HttpApi {
  /** Takes every request. */
  handle: RequestHandler;
  /** What all go to but plain lists of records. Knows every route. */
  app: Express;
}

/**
 * In this order: id and log, headers; for `/v1` the origin, the key, the rate, whether anything new is taken, the right,
 * and only then is a body read; the open paths.
 */
export function createHttpApi(deps: HttpDeps): HttpApi {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  const ofAll = [
    requestLog(deps.logger, deps.instruments),
    ...(deps.apiKeys.length > 0 ? [tellOfStrangers(deps.logger)] : []),
    fixedHeaders(deps),
    neverNotModified,
    requireHost(deps.apiKeys.length > 0 ? 'any' : (deps.allowedHosts ?? [])),
    closeWhileDraining(deps.isDraining),
  ];
  const ofV1 = [
    refuseCrossOrigin,
    requireApiKey(deps.apiKeys),
    ...rateLimit(deps.rateLimitPerSecond ?? 0),
    refuseWhileDraining(deps.isDraining),
  ];
  app.use(inOrder(...ofAll));
  const open = createRoutes(app, '');
  const v1 = createRoutes(Router(), V1);
  const operations = () => [...v1.operations, ...open.operations];
  v1.router.use(inOrder(...ofV1));
  const takeList = listHandler(deps);
  serveRecords(v1, deps, takeList);
  serveViews(v1, deps.batcher);
  serveOperator(v1, deps.batcher);
  serveDeadLetters(v1, deps.batcher);
  serveLimits(v1, deps.batcher);
  serveDrain(v1, deps);
  // First, as most of what comes is for it.
  app.use(V1, v1.router);
  serveHealth(open, deps);
  if (deps.metrics !== undefined) {
    app.use(METRICS_PATH, inOrder(requireApiKey(deps.apiKeys)));
    serveMetrics(open, deps.metrics, 'read');
  }
  serveDashboard(open, deps);
  serveDocs(open, deps, () => describeApi(operations(), deps.version));

  const refuse = problemResponse(deps.logger, deps.instruments);
  app.use(notFound, lastHandler(refuse));

  const steps = [...ofAll, ...ofV1, noteRoute(`${V1}/records`), requireRight('ingest')];
  return { app, handle: straight({ target: `${V1}/records`, steps, handle: takeList, refuse }, app) };
}

/** Express would answer 304 to `*`, the one condition that needs nothing to compare with. */
const neverNotModified: Step = (req) => {
  // Deleting slows down every later look at the headers.
  if ('if-none-match' in req.headers) delete req.headers['if-none-match'];
};
