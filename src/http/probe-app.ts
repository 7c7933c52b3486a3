import express from 'express';
import type { Logger } from 'pino';
import type { Readiness } from '../contracts/batcher-client';
import type { Metrics } from './deps';
import type { RequestHandler } from './problems/error-boundary';
import { fixedHeaders } from './guards/headers';
import { serveHealth } from './routes/health-routes';
import { requireHost, type AllowedHosts } from './guards/host';
import { serveMetrics } from './routes/metrics-route';
import { lastHandler, notFound, problemResponse } from './problems/problem-response';
import { requestLog } from './request-log';
import { createRoutes } from './routes/routing';
import { inOrder } from './steps';

export interface ProbeDeps {
  metrics: Metrics;
  /** Rejects, with an error of the catalogue, while the process isn't ready. */
  checkReady: () => Promise<Readiness>;
  isDraining: () => boolean;
  /** Accepted host names. */
  allowedHosts: AllowedHosts;
  logger: Logger;
}

/**
 * What any process serves on `METRICS_PORT`, without a key: `/metrics`, `/healthz`, `/readyz`. Names and figures, never
 * a record.
 */
export function createProbeApp({
  metrics,
  checkReady,
  isDraining,
  allowedHosts,
  logger,
}: ProbeDeps): RequestHandler {
  // Probes repeat all the time: their refusals are not worth a log line each.
  const quiet = logger.isLevelEnabled('warn') ? logger.child({}, { level: 'error' }) : logger;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(inOrder(requestLog(logger), fixedHeaders({}), requireHost(allowedHosts)));
  const routes = createRoutes(app, '');
  serveHealth(routes, { batcher: { checkReady }, isDraining });
  serveMetrics(routes, metrics, 'none');
  app.use(notFound, lastHandler(problemResponse(quiet)));
  return app;
}
