import type { RequestHandler } from 'express';
import type { Metrics } from '../deps';
import type { Endpoint, Routes } from './routing';

export const METRICS_PATH = '/metrics';

/** `GET /metrics`: what this process measures, in Prometheus' text format. No part of the API, but for Prometheus. */
export function serveMetrics(routes: Routes, metrics: Metrics, right: Endpoint['right']): void {
  const getMetrics: RequestHandler = async (_req, res) => {
    const text = await metrics.text();
    res.set('Content-Type', metrics.contentType).send(text);
  };
  routes.serve(METRICS_PATH, { get: { right, handle: getMetrics, describe: 'page' } });
}
