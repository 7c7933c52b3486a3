import express, { Router } from 'express';
import type { Express, RequestHandler } from 'express';
import helmet from 'helmet';
import { requireApiKey } from './auth';
import { serveDeadLetters } from './dead-letter-routes';
import type { HttpDeps } from './deps';
import { serveDocs } from './docs-routes';
import { serveDrain } from './drain-routes';
import { refuseCrossOrigin } from './cross-origin';
import { closeWhileDraining, refuseWhileDraining } from './draining';
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
import { serveViews } from './view-routes';

const V1 = '/v1';

/**
 * The HTTP API as an Express app that never listens (see `listen.ts`). In this order: id and log, headers, the open
 * paths; for `/v1` the origin, the key, the rate, whether anything new is taken, the right, and only then is a body read.
 */
export function createApp(deps: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.use(
    requestLog(deps.logger),
    securityHeaders(deps),
    ofTheMoment,
    requireHost(deps.apiKeys.length > 0 ? 'any' : (deps.allowedHosts ?? [])),
    closeWhileDraining(deps.isDraining),
  );
  const open = createRoutes(app, '');
  const v1 = createRoutes(Router(), V1);
  const operations = () => [...v1.operations, ...open.operations];
  serveHealth(open, deps);
  serveIndex(open, deps, operations);
  serveDocs(open, deps, () => describeApi(operations(), deps.version));

  v1.router.use(
    refuseCrossOrigin,
    requireApiKey(deps.apiKeys),
    ...rateLimit(deps.rateLimitPerSecond ?? 0),
    refuseWhileDraining(deps.isDraining),
  );
  serveRecords(v1, deps);
  serveViews(v1, deps.batcher);
  serveOperator(v1, deps.batcher);
  serveDeadLetters(v1, deps.batcher);
  serveLimits(v1, deps.batcher);
  serveDrain(v1, deps);
  app.use(V1, v1.router);

  app.use(notFound, problemResponse);
  return app;
}

/** Every answer is of its moment, and `/v1` may hold records: no cache keeps any, and none is ever "not modified". */
const ofTheMoment: RequestHandler = (req, res, next) => {
  res.set('Cache-Control', 'no-store');
  // Express would answer 304 to `*`, the one condition that needs nothing to compare with.
  delete req.headers['if-none-match'];
  next();
};

/** Nothing may be loaded or framed, unless a page says otherwise. */
function securityHeaders({ tls = false }: HttpDeps): RequestHandler {
  return helmet({
    // Without TLS of our own it is the business of the proxy that ends it. Of subdomains we know nothing.
    strictTransportSecurity: tls && { includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
  });
}
