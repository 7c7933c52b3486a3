import express, { Router } from 'express';
import type { Express } from 'express';
import { requireCaller } from './guards/auth';
import { serveDeadLetters } from './routes/dead-letter-routes';
import type { HttpDeps } from './deps';
import { serveDocs } from './routes/docs-routes';
import { serveDrain } from './routes/drain-routes';
import { refuseCrossOrigin } from './guards/cross-origin';
import { serveDashboard } from './routes/dashboard-routes';
import { closeWhileDraining, refuseWhileDraining } from './guards/draining';
import type { RequestHandler } from './problems/error-boundary';
import { AcceptedLists } from './accepted-lists';
import { serveFind } from './routes/find-route';
import { serveAudits } from './routes/audit-routes';
import { serveSystem } from './routes/system-routes';
import { serveEvents } from './routes/event-routes';
import { LiveFeed } from './live/live-feed';
import { fastPath } from './fast-path';
import { fixedHeaders } from './guards/headers';
import { serveCodec } from './routes/codec-routes';
import { serveHealth } from './routes/health-routes';
import { requireHost } from './guards/host';
import { serveLimits } from './routes/limits-routes';
import { describeApi } from './routes/openapi-document';
import { serveOperator } from './routes/operator-routes';
import { lastHandler, notFound, problemResponse } from './problems/problem-response';
import { rateLimit } from './guards/rate-limit';
import { RECORDS_PATH, serveRecords } from './routes/records-routes';
import { requestLog, tellOfStrangers } from './request-log';
import { traceRecords } from './request-trace';
import { METRICS_PATH, serveMetrics } from './routes/metrics-route';
import { createRoutes } from './routes/routing';
import { inOrder, type Step } from './steps';
import { serveViews } from './routes/view-routes';

const V1 = '/v1';

/** The HTTP API, which never listens by itself (see `listen.ts`). */
export interface HttpApi {
  /** Handles every request. */
  handle: RequestHandler;
  /** Handles all requests but plain lists of records. Has every route. */
  app: Express;
  /**
   * Records the history of `GET /v1/events` even while nobody watches.
   * @returns a function that ends it
   */
  remember(): () => void;
}

/**
 * Order of the steps: request id and log, headers; below `/v1` the origin, the key, the rate, whether this process
 * still accepts requests, the right, and only then the body; then the open paths.
 */
export function createHttpApi(deps: HttpDeps): HttpApi {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  // A page whose own host name resolves to this address has neither the key nor the cookie.
  const isGuarded = deps.apiKeys.length > 0 || deps.authorize !== undefined;
  const ofAll = [
    requestLog(deps.logger, deps.instruments),
    ...(deps.tracing ? [traceRecords(deps.tracing, `${V1}${RECORDS_PATH}`)] : []),
    ...(isGuarded ? [tellOfStrangers(deps.logger)] : []),
    fixedHeaders(deps),
    neverNotModified,
    requireUnreadBody,
    requireHost(isGuarded ? 'any' : (deps.allowedHosts ?? [])),
    closeWhileDraining(deps.isDraining),
  ];
  const ofV1 = [
    refuseCrossOrigin,
    requireCaller(deps),
    ...rateLimit(deps.rateLimitPerSecond ?? 0),
    refuseWhileDraining(deps.isDraining),
  ];
  app.use(inOrder(...ofAll));
  const open = createRoutes(app, '');
  const v1 = createRoutes(Router(), V1);
  const operations = () => [...v1.operations, ...open.operations];
  v1.router.use(inOrder(...ofV1));
  const accepted = new AcceptedLists();
  serveRecords(v1, deps, accepted);
  const feed = new LiveFeed(deps);
  serveViews(v1, deps.batcher);
  serveEvents(v1, feed, deps);
  serveFind(v1, deps.batcher, accepted);
  serveSystem(v1, deps.batcher);
  serveAudits(v1, deps.batcher);
  serveOperator(v1, deps.batcher);
  serveDeadLetters(v1, deps.batcher);
  serveLimits(v1, deps.batcher);
  serveDrain(v1, deps);
  // First, because most requests are for it.
  app.use(V1, v1.router);
  if (deps.codec !== undefined) serveCodec(app, deps, deps.codec);
  serveHealth(open, deps);
  if (deps.metrics !== undefined) {
    app.use(METRICS_PATH, inOrder(requireCaller(deps)));
    serveMetrics(open, deps.metrics, 'read');
  }
  const keys = deps.authorize ? 'host' : deps.apiKeys.length > 0 ? 'required' : 'none';
  serveDashboard(open, { ...deps, keys });
  serveDocs(open, deps, (mount) => describeApi(operations(), deps.version, mount));

  const refuse = problemResponse(deps.logger, deps.instruments);
  app.use(notFound, lastHandler(refuse));

  const handle = fastPath({ routes: v1.fastRoutes, before: [...ofAll, ...ofV1], refuse }, app);
  return { app, handle, remember: () => feed.remember() };
}

/** A body that was already read never arrives, so the client would wait forever. */
const requireUnreadBody: Step = (req) => {
  if (req.readableDidRead)
    throw new TypeError(
      'The body was read before keepapart got the request: mount keepapart before body parsers such as express.json()',
    );
};

/** Express would answer 304 to `*`, the one condition that needs nothing to compare with. */
const neverNotModified: Step = (req) => {
  // Deleting a header slows down every later access to the headers.
  if ('if-none-match' in req.headers) delete req.headers['if-none-match'];
};
