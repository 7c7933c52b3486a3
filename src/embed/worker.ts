/** `keepapart/worker`: keepapart's workflows and activities in a process that already runs Temporal workers. */
import type { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { Readiness } from '../contracts/batcher-client';
import type { Log } from '../contracts/log';
import type { SpanProcessor } from '../contracts/tracing';
import type { Metrics } from '../http/deps';
import { MetricRegistry } from '../metrics/registry';
import type { StoreDefinition } from '../store/own/definition';
import { borrowClient } from '../temporal/server/borrowed-client';
import { registerWithTemporal } from '../temporal/server/register';
import { workerOptions } from '../temporal/worker/worker';
import { assembleWorker } from './assemble-worker';
import { defaultLog } from './default-log';
import { tracingOfApp } from './load-tracing';
import { openKeyRing } from './encryption-keys';
import { openStore } from './open-store';
import { configOf, type KeepapartSettings } from './settings';
import { createStops } from './stops';

export type { Readiness } from '../contracts/batcher-client';
export type { Log } from '../contracts/log';
export type { SpanProcessor } from '../contracts/tracing';
export { isKeepapartError, KeepapartError, type ErrorCode } from '../domain/errors';
export type { FieldProblem } from '../domain/field-problems';
export type { Metrics } from '../http/deps';
export type { StoreDefinition } from '../store/own/definition';
/** Path of the workflow bundle, for `Worker.runReplayHistories` and similar; `workers` below already use it. */
export { WORKFLOW_BUNDLE_PATH } from '../temporal/worker/workflow-bundle';
export type { KeepapartSettings } from './settings';

export interface KeepapartWorkerOptions {
  /** The app's client. keepapart opens a connection of its own with the same server, namespace and credentials. */
  client: Client;
  /** The same object as for the router. Default: every default of docs/CONFIGURATION.md. */
  settings?: KeepapartSettings;
  /** A store of the app's own, from `keepapart/store`, instead of the one that `settings.store` names. */
  store?: StoreDefinition;
  /**
   * Logs errors of the store, and when it becomes unavailable and available again. Default: warnings and errors as JSON
   * on standard error.
   */
  logger?: Log;
  /**
   * Receive keepapart's spans, for example the `BatchSpanProcessor` that the app's own spans go through; the app closes
   * them. Needs `@opentelemetry/sdk-trace-base` 2. Default: no traces, and nothing of OpenTelemetry is loaded.
   */
  spanProcessors?: readonly SpanProcessor[];
}

/** What keepapart needs from an app that runs workers. */
export interface KeepapartWorker {
  /**
   * Options of two Workers, on task queues of keepapart's own: workflows and saves, and what batchers wait for. Create
   * both, with the app's `NativeConnection`, and run both beside the app's own. The interval in which the app shuts
   * them down is the app's, and so is anything added to the options.
   */
  readonly workers: readonly WorkerOptions[];
  /**
   * For the app's readiness probe. Rejects with `temporal-unavailable`; an unavailable store is reported in the result.
   */
  checkReady(): Promise<Readiness>;
  /** The metrics of these workers, in Prometheus' text format. */
  readonly metrics: Metrics;
  /**
   * Closes the store and keepapart's connection to Temporal. Call it when both workers' `run()` has ended. Calling it
   * again waits for the same end. Never rejects.
   */
  close(): Promise<void>;
}

/** Of the folders that are created, by `fileAccess`. */
const FOLDER_MODES = { owner: 0o700, group: 0o750, all: 0o777 } as const;

/**
 * Opens the store, and gives what the app's Workers run. Registers what is missing in Temporal of keepapart's search
 * attributes, which needs the right to.
 *
 * Files are created with the umask of the process; folders that aren't there yet as `fileAccess` says.
 * @throws KeepapartError `invalid-config` with all problems; `folder-not-writable` and `store-unusable` for the
 *   operator; `store-away` and `temporal-unavailable` when the one or the other doesn't answer: try again later
 * @example
 * const keepapart = await createKeepapartWorker({ client, settings, store });
 * const workers = await Promise.all(
 *   [myOptions, ...keepapart.workers].map((options) => Worker.create({ connection, namespace, ...options })),
 * );
 * await Promise.all(workers.map((worker) => worker.run()));
 * await keepapart.close();
 */
export async function createKeepapartWorker(options: KeepapartWorkerOptions): Promise<KeepapartWorker> {
  const { settings = {}, store: ownStore, logger = defaultLog() } = options;
  const config = configOf(settings);
  const stopping = new AbortController();
  const keys = await openKeyRing(config, { logger, signal: stopping.signal });
  const temporal = borrowClient(options.client, keys);
  const stops = createStops(logger);
  stops.onStop('the connection to Temporal', () => temporal.close());
  try {
    const { client } = temporal;
    const folderMode = FOLDER_MODES[config.fileAccess];
    const store = await openStore({ config, logger, lifecycle: stops, ownStore, folderMode });
    await registerWithTemporal(client);
    const registry = new MetricRegistry({ ofProcess: false });
    const tracing = await tracingOfApp(config, options.spanProcessors);
    const { signal } = stopping;
    const parts = await assembleWorker({ config, client, logger, registry, tracing, store, signal });
    parts.followVersion();
    let closed: Promise<void> | undefined;
    return {
      workers: workerOptions(parts.setup),
      checkReady: () => parts.checkReady(),
      metrics: { contentType: registry.contentType, text: () => registry.text() },
      close() {
        stopping.abort();
        return (closed ??= stops.stopAll());
      },
    };
  } catch (error) {
    stopping.abort();
    await stops.stopAll();
    throw error;
  }
}
