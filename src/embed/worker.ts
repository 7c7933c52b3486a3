/** `keepapart/worker`: keepapart's workflows and activities in a process that runs Temporal workers already. */
import type { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { Readiness } from '../contracts/batcher-client';
import type { Log } from '../contracts/log';
import type { Metrics } from '../http/deps';
import { MetricRegistry } from '../metrics/registry';
import type { StoreDefinition } from '../store/own/definition';
import { borrowClient } from '../temporal/server/borrowed-client';
import { registerWithTemporal } from '../temporal/server/register';
import { workerOptions } from '../temporal/worker/worker';
import { assembleWorker } from './assemble-worker';
import { defaultLog } from './default-log';
import { openStore } from './open-store';
import { configOf, type KeepapartSettings } from './settings';
import { createStops } from './stops';

export type { Readiness } from '../contracts/batcher-client';
export type { Log } from '../contracts/log';
export { isKeepapartError, KeepapartError, type ErrorCode } from '../domain/errors';
export type { FieldProblem } from '../domain/field-problems';
export type { Metrics } from '../http/deps';
export type { StoreDefinition } from '../store/own/definition';
/** Path of the workflows' bundle, for `Worker.runReplayHistories` and the like; `workers` below have it already. */
export { WORKFLOW_BUNDLE_PATH } from '../temporal/worker/workflow-bundle';
export type { KeepapartSettings } from './settings';

export interface KeepapartWorkerOptions {
  /** The app's client. keepapart opens a connection of its own with the same server, namespace and credentials. */
  client: Client;
  /** The same object as for the router. Default: every default of docs/CONFIGURATION.md. */
  settings?: KeepapartSettings;
  /** A store of the app's own, from `keepapart/store`, instead of the one that `settings.store` names. */
  store?: StoreDefinition;
  /** What the store throws, when it is away and back. Default: warnings and errors as JSON on standard error. */
  logger?: Log;
}

/** What keepapart needs of an app that runs workers. */
export interface KeepapartWorker {
  /**
   * Options of two Workers, on task queues of keepapart's own: workflows and saves, and what batchers wait for. Create
   * both, with the app's `NativeConnection`, and run both beside the app's own. The interval in which the app shuts
   * them down is the app's, and so is anything added to the options.
   */
  readonly workers: readonly WorkerOptions[];
  /** For the app's readiness probe. Rejects with `temporal-unavailable`; a store that is away is told, not thrown. */
  checkReady(): Promise<Readiness>;
  /** What these workers measure, in Prometheus' text format. */
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
  const temporal = borrowClient(options.client);
  const stops = createStops(logger);
  const stopping = new AbortController();
  stops.onStop('the connection to Temporal', () => temporal.close());
  try {
    const { client } = temporal;
    const folderMode = FOLDER_MODES[config.fileAccess];
    const store = await openStore({ config, logger, lifecycle: stops, ownStore, folderMode });
    await registerWithTemporal(client);
    const registry = new MetricRegistry({ ofProcess: false });
    const { signal } = stopping;
    const parts = await assembleWorker({ config, client, logger, registry, store, signal });
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
    await stops.stopAll();
    throw error;
  }
}
