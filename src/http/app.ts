import express, { Router } from 'express';
import type { Express } from 'express';
import { requireApiKey } from './auth';
import { serveDeadLetters } from './dead-letter-routes';
import type { HttpDeps } from './deps';
import { serveDocs } from './docs-routes';
import { serveDrain } from './drain-routes';
import { refuseCrossOrigin } from './cross-origin';
import { closeWhileDraining, refuseWhileDraining } from './draining';
import { fixedHeaders } from './headers';
import { serveHealth } from './health-routes';
import { requireHost } from './host';
import { serveIndex } from './index-page';
import { serveLimits } from './limits-routes';
import { describeApi } from './openapi-document';
import { serveOperator } from './operator-routes';
import { notFound, problemResponse } from './problem-response';
import { rateLimit } from './rate-limit';
import { serveRecords } from './records-routes';
import { requestLog } from './request-log';
import { createRoutes } from './routing';
import { inOrder, type Step } from './steps';
import { serveViews } from './view-routes';

const V1 = '/v1';

/**
 * The HTTP API as an Express app that never listens (see `listen.ts`). In this order: id and log, headers; for
 * `/v1` the origin, the key, the rate, whether anything new is taken, the right, and only then is a body read; the
 * open paths.
 */
export function createApp(deps: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.use(
    inOrder(
      requestLog(deps.logger),
      fixedHeaders(deps),
      neverNotModified,
      requireHost(deps.apiKeys.length > 0 ? 'any' : (deps.allowedHosts ?? [])),
      closeWhileDraining(deps.isDraining),
    ),
  );
  const open = createRoutes(app, '');
  const v1 = createRoutes(Router(), V1);
  const operations = () => [...v1.operations, ...open.operations];
  v1.router.use(
    inOrder(
      refuseCrossOrigin,
      requireApiKey(deps.apiKeys),
      ...rateLimit(deps.rateLimitPerSecond ?? 0),
      refuseWhileDraining(deps.isDraining),
    ),
  );
  serveRecords(v1, deps);
  serveViews(v1, deps.batcher);
  serveOperator(v1, deps.batcher);
  serveDeadLetters(v1, deps.batcher);
  serveLimits(v1, deps.batcher);
  serveDrain(v1, deps);
  // First, as most of what comes is for it.
  app.use(V1, v1.router);
  serveHealth(open, deps);
  serveIndex(open, deps, operations);
  serveDocs(open, deps, () => describeApi(operations(), deps.version));

  app.use(notFound, problemResponse(deps.logger));
  return app;
}

/** Express would answer 304 to `*`, the one condition that needs nothing to compare with. */
const neverNotModified: Step = (req) => {
  // Deleting slows down every later look at the headers.
  if ('if-none-match' in req.headers) delete req.headers['if-none-match'];
};
