import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../../config';
import type { Tracing } from '../../contracts/tracing';
import type { RecordStore } from '../../domain/records/record-store';
import { assembleWorker } from '../../embed/assemble-worker';
import { connectWorker } from '../../temporal/worker/worker-connection';
import { createWorker } from '../../temporal/worker/worker';
import type { Lifecycle } from './lifecycle';
import type { Measuring } from './measuring';
import type { ReachedTemporal } from './temporal-role';

interface Context {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
  measuring: Measuring;
  tracing: Tracing | undefined;
}

/** Starts the worker: workflows, and activities over a record store that is open. */
export async function startWorker(
  { config, logger, lifecycle, measuring, tracing }: Context,
  { target }: ReachedTemporal,
  client: Client,
  store: RecordStore,
): Promise<void> {
  const { registry, meter } = measuring;
  const { signal } = lifecycle;
  const parts = await assembleWorker({
    ...{ config, client, logger, registry, meter, tracing, store, signal },
  });
  const connection = await connectWorker(target);
  lifecycle.onStop("the worker's connection", () => connection.close());
  const worker = await createWorker({ connection, ...parts.setup });
  const running = worker.run();
  running.catch((error: unknown) => lifecycle.fail(error));
  measuring.becomesReadyBy(() => parts.checkReady());
  parts.followVersion();
  lifecycle.onStop('the worker', async () => {
    worker.shutdown();
    await running;
  });
}
