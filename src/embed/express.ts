/** `keepapart/express`: keepapart's API and dashboard in an existing HTTP server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Client } from '@temporalio/client';
import type { Readiness } from '../contracts/batcher-client';
import type { Log } from '../contracts/log';
import type { SpanProcessor } from '../contracts/tracing';
import { SECOND } from '../domain/duration';
import { KeepapartError } from '../domain/errors';
import type { Caller, Metrics } from '../http/deps';
import { withBoundary } from '../http/problems/error-boundary';
import { noteMount } from '../http/mount';
import { loggedRequest } from '../http/request-log';
import { LiveMeter } from '../metrics/live-meter';
import { MetricRegistry } from '../metrics/registry';
import { borrowClient } from '../temporal/server/borrowed-client';
import { registerWithTemporal } from '../temporal/server/register';
import { assembleApi } from './assemble-api';
import { defaultLog } from './default-log';
import { openKeyRing } from './encryption-keys';
import { tracingOfApp } from './load-tracing';
import { configOf, type KeepapartSettings } from './settings';

export type { Readiness } from '../contracts/batcher-client';
export type { Log } from '../contracts/log';
export type { SpanProcessor } from '../contracts/tracing';
export { isKeepapartError, KeepapartError, type ErrorCode } from '../domain/errors';
export type { FieldProblem } from '../domain/field-problems';
export { RIGHTS, type Right } from '../domain/rights';
export type { Caller, Metrics } from '../http/deps';
export type { KeepapartSettings } from './settings';

export interface KeepapartRouterOptions {
  /** The app's client. keepapart opens a connection of its own with the same server, namespace and credentials. */
  client: Client;
  /** The same object as for the worker. Default: every default of docs/CONFIGURATION.md. */
  settings?: KeepapartSettings;
  /**
   * Who calls, from what the app's own middleware has found out; undefined for nobody, which is answered with 401.
   * Called for each request under `/v1` and for `/metrics`; never waited for. Required unless `settings.apiKeys` has
   * keys, so that no API is open by mistake.
   */
  authorize?(req: IncomingMessage): Caller | undefined;
  /** One line per request, and everything that goes wrong. Default: warnings and errors as JSON on standard error. */
  logger?: Log;
  /**
   * Receive keepapart's spans, for example the `BatchSpanProcessor` that the app's own spans go through; the app closes
   * them. Needs `@opentelemetry/sdk-trace-base` 2. Default: no traces, and nothing of OpenTelemetry is loaded.
   */
  spanProcessors?: readonly SpanProcessor[];
  /** Temporal's Web UI down to the workflows of the namespace, for links in the dashboard. Default: no links. */
  webUiUrl?: string;
}

/**
 * A request handler for Express 4 and 5, Connect and `node:http`, with what belongs to its life. It answers everything
 * below its path, and calls `next` for nothing.
 */
export interface KeepapartRouter {
  (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void;
  /** For the app's readiness probe. Rejects with `not-ready` once it closes, with `temporal-unavailable` otherwise. */
  checkReady(): Promise<Readiness>;
  /** What `GET /metrics` below its path answers, for an app that puts all metrics into one answer. */
  readonly metrics: Metrics;
  /**
   * Takes nothing new, which is answered with 503 `not-ready`; waits until requests under way are answered, at most
   * `graceMs` (default 10,000); closes its connection to Temporal. Records that were acknowledged are safe in Temporal
   * whenever it is called, or not called. Calling it again waits for the same end. Never rejects.
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

/**
 * Makes keepapart's HTTP API for an app to mount, and starts the batchers with these settings. Registers what is missing
 * in Temporal of keepapart's search attributes, which needs the right to. Mount it before body parsers: keepapart reads
 * bodies itself, as numbers that JavaScript would round are refused and streams are read line by line.
 * @throws KeepapartError `invalid-config` with all problems, also where a batcher runs on another task queue; both are
 *   the developer's to mend. `temporal-unavailable` when Temporal doesn't answer: try again later
 * @example
 * const keepapart = await createKeepapartRouter({
 *   client,
 *   settings,
 *   authorize: (req) => (req as Request).user && { name: 'orders', rights: ['ingest', 'read'] },
 * });
 * app.use('/keepapart', requireLogin, keepapart);
 * app.use(express.json());
 */
export async function createKeepapartRouter(options: KeepapartRouterOptions): Promise<KeepapartRouter> {
  const { settings = {}, authorize, logger = defaultLog(), webUiUrl } = options;
  const config = configOf(settings);
  checkAccess(config.apiKeys.length > 0, authorize !== undefined);
  const stopping = new AbortController();
  const keys = await openKeyRing(config, { logger, signal: stopping.signal });
  const temporal = borrowClient(options.client, keys);
  try {
    const { client } = temporal;
    await registerWithTemporal(client);
    const tracing = await tracingOfApp(config, options.spanProcessors);
    const registry = new MetricRegistry({ ofProcess: false });
    const metrics: Metrics = { contentType: registry.contentType, text: () => registry.text() };
    const underWay = createUnderWay();
    const isDraining = () => underWay.isClosing();
    const { http, edge } = await assembleApi({
      ...{ config, client, logger, registry, metrics, meter: new LiveMeter(), tracing, isDraining },
      ...(authorize !== undefined && { authorize }),
      ...(webUiUrl !== undefined && { webUiUrl }),
    });
    const forget = http.remember();
    const handle = withBoundary(http.handle, (err, req) =>
      logger.error({ req: loggedRequest(req), err }, 'request failed, closing its connection'),
    );
    const router = (req: IncomingMessage, res: ServerResponse): void => {
      underWay.add(res);
      if ('baseUrl' in req && typeof req.baseUrl === 'string') noteMount(req, req.baseUrl);
      handle(req, res);
    };
    let closed: Promise<void> | undefined;
    return Object.assign(router, {
      metrics,
      async checkReady() {
        if (isDraining()) throw new KeepapartError('not-ready', 'This router is closing');
        return edge.batcher.checkReady();
      },
      close: ({ graceMs = 10 * SECOND } = {}) =>
        (closed ??= underWay.close(graceMs).then(() => {
          forget();
          stopping.abort();
          return temporal.close();
        })),
    });
  } catch (error) {
    stopping.abort();
    await temporal.close();
    throw error;
  }
}

function checkAccess(hasKeys: boolean, hasAuthorize: boolean): void {
  if (hasKeys !== hasAuthorize) return;
  const problem = {
    field: 'authorize',
    expected:
      'either authorize or settings.apiKeys: whoever reaches the app could send, read and pause otherwise',
    received: hasKeys ? 'both' : 'neither',
  };
  throw new KeepapartError(
    'invalid-config',
    `Who may call has to be decided, in one place: ${problem.expected}`,
    {
      problems: [problem],
    },
  );
}

/** The requests that aren't answered. */
function createUnderWay() {
  let count = 0;
  let closing = false;
  let onIdle = (): void => undefined;
  return {
    isClosing: () => closing,
    add(res: ServerResponse) {
      count++;
      // Also emitted after the answer.
      res.once('close', () => {
        if (--count === 0) onIdle();
      });
    },
    close(graceMs: number): Promise<void> {
      closing = true;
      if (count === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}
