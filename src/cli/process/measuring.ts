import type { Logger } from 'pino';
import { isLoopback, type Config } from '../../config';
import type { Readiness } from '../../contracts/batcher-client';
import { KeepapartError } from '../../domain/errors';
import type { Metrics } from '../../http/deps';
import { listen } from '../../http/listen';
import { createProbeApp } from '../../http/probe-app';
import { LiveMeter } from '../../metrics/live-meter';
import { MetricRegistry } from '../../metrics/registry';
import { temporalMetrics } from '../../metrics/temporal-metrics';
import { chooseHiddenPort, type Endpoint } from '../../temporal/embedded/ports';
import type { Lifecycle } from './lifecycle';
import { releaseVersion } from '../../embed/release';

/** How long a scrape may take to finish when the process stops. */
const GRACE_MS = 1000;

/** What a process measures, and how it is probed. */
export interface Measuring {
  registry: MetricRegistry;
  /** For the viewers of `GET /v1/events`. */
  meter: LiveMeter;
  /** Ours, and behind them Temporal's. */
  metrics: Metrics;
  /** Where the SDK's native part is to tell its metrics; undefined without `METRICS_PORT`. */
  temporalAt: Endpoint | undefined;
  /** How to find out whether the process is ready; until it is told, it isn't. */
  becomesReadyBy(check: () => Promise<Readiness>): void;
}

/** Begins to measure, and opens `METRICS_PORT` where there is one: before anything else, so that a start can be watched. */
export async function startMeasuring(
  role: string,
  { config, logger, lifecycle }: { config: Config; logger: Logger; lifecycle: Lifecycle },
): Promise<Measuring> {
  const { metricsHost, metricsPort, buildId, allowedHosts } = config;
  const registry = new MetricRegistry();
  registry.gauge('keepapart_build_info').set({ version: releaseVersion(), build: buildId, role }, 1);
  const temporalAt = metricsPort === 0 ? undefined : await chooseHiddenPort();
  const metrics: Metrics = {
    contentType: registry.contentType,
    async text() {
      const [own, temporal] = await Promise.all([
        registry.text(),
        temporalAt ? temporalMetrics(temporalAt) : '',
      ]);
      return own + temporal;
    },
  };
  let checkReady = (): Promise<Readiness> =>
    Promise.reject(new KeepapartError('not-ready', 'This process has not started yet'));
  if (metricsPort !== 0) {
    const app = createProbeApp({
      metrics,
      checkReady: () => checkReady(),
      isDraining: () => lifecycle.signal.aborted,
      allowedHosts: isLoopback(metricsHost) ? allowedHosts.split(',') : 'any',
      logger,
    });
    const settings = { host: 'METRICS_HOST', port: 'METRICS_PORT', zero: 'to do without' };
    const server = await listen(app, { host: metricsHost, port: metricsPort, logger, settings });
    lifecycle.onStop('the metrics', () => server.close({ graceMs: GRACE_MS }));
  }
  return {
    registry,
    meter: new LiveMeter(),
    metrics,
    temporalAt,
    becomesReadyBy(check) {
      checkReady = check;
    },
  };
}
