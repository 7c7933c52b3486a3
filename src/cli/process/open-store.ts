import type { Logger } from 'pino';
import { isOwnStore, showPostgresUrl, type Config } from '../../config';
import type { RecordStore } from '../../domain/records/record-store';
import { createFailingStore } from '../../store/failing-store';
import { prepareFolders, prepareOutDir } from '../../store/folders';
import type { SavingStoreOptions } from '../../store/own/saving-store';
import { sweep, sweepUnfinished } from '../../store/sweep';
import type { Lifecycle } from './lifecycle';
import { bucketOptions, loadS3 } from './s3-client';

interface Context {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
}

/** The record store that is configured, ready to be used; closed by the lifecycle. */
export async function openStore(context: Context): Promise<RecordStore> {
  return createFailingStore(await openFaultlessStore(context), {
    failureRate: context.config.saveFailureRate,
  });
}

/** The same without the failures on purpose of `SAVE_FAILURE_RATE`. Each kind loads its own code and no other's. */
export function openFaultlessStore(context: Context): Promise<RecordStore> {
  const { store } = context.config;
  if (store === 'postgres') return openInPostgres(context);
  if (store === 'http') return openOverHttp(context);
  if (store === 's3') return openInS3(context);
  return isOwnStore(store) ? openOwn(context) : openInFiles(context);
}

const CLEARED = 'cleared what crashed attempts had left behind';

async function prepareFiles({ config, logger }: Context): Promise<void> {
  await prepareFolders(config);
  logger.debug(await sweep(config), CLEARED);
}

async function openInFiles(context: Context): Promise<RecordStore> {
  await prepareFiles(context);
  const { createFileStore } = await import('../../store/file-store.js');
  return createFileStore(context.config);
}

async function openOwn(context: Context): Promise<RecordStore> {
  await prepareFiles(context);
  const { store: name, storeOptions: options } = context.config;
  const { loadOwnModule } = await import('./own-module.js');
  const { openOwnStore } = await import('../../store/own/open-own-store.js');
  const store = await openOwnStore(await loadOwnModule(name), { ...savingOptions(context), name, options });
  context.lifecycle.onStop(`the store of ${name}`, () => store.close());
  return store;
}

async function openOverHttp(context: Context): Promise<RecordStore> {
  await prepareFiles(context);
  const { storeUrl: url, storeSecrets: secrets, storePrivateAddresses } = context.config;
  const { createEndpoint } = await import('../../store/http/endpoint.js');
  const { createSavingStore } = await import('../../store/own/saving-store.js');
  const endpoint = createEndpoint({ url, secrets, allowsPrivate: storePrivateAddresses === 'allow' });
  context.lifecycle.onStop('the connections to STORE_URL', () => Promise.resolve(endpoint.close()));
  return createSavingStore(endpoint, savingOptions(context));
}

function savingOptions({ config, logger }: Context): SavingStoreOptions {
  return {
    folders: config,
    timeoutMs: config.storeTimeoutMs,
    callsAtOnce: config.storeCalls,
    maxBatchSize: config.maxBatchSize,
    onError: (err, { name, batchId }) =>
      logger.error(
        { err, batchId },
        `${name} of the store threw: the attempt has failed for this call's records`,
      ),
  };
}

async function openInS3({ config, logger, lifecycle }: Context): Promise<RecordStore> {
  await prepareOutDir(config);
  const unfinishedFiles = await sweepUnfinished(config);
  const { openS3Store } = await loadS3(() => import('../../store/s3/s3-store.js'));
  const store = await openS3Store({ ...bucketOptions(config), outDir: config.outDir });
  lifecycle.onStop('the connections to S3', () => store.close());
  logger.debug({ unfinishedFiles, staged: await store.sweep() }, CLEARED);
  return store;
}

async function openInPostgres({ config, logger, lifecycle }: Context): Promise<RecordStore> {
  await prepareOutDir(config);
  logger.debug({ unfinishedFiles: await sweepUnfinished(config) }, CLEARED);
  const { postgresUrl, postgresSchema, postgresStatement, postgresKey, conflicts, outDir } = config;
  const { openPostgresStore } = await import('../../store/postgres/postgres-store.js');
  const store = await openPostgresStore({
    url: postgresUrl,
    where: showPostgresUrl(postgresUrl),
    schema: postgresSchema,
    statement: postgresStatement,
    keyPointer: postgresKey,
    poolSize: config.postgresPoolSize,
    timeoutMs: config.postgresTimeoutMs,
    outDir,
  });
  lifecycle.onStop('the connections to Postgres', () => store.close());
  if (!store.durable) {
    logger.warn('Postgres runs with fsync=off: a power cut there loses records that were reported as saved');
  }
  if (!conflicts.some((rule) => 'distinct' in rule && rule.distinct === postgresKey)) {
    const rule = JSON.stringify({ distinct: postgresKey });
    logger.warn(
      { rule },
      `two records of one batch that meet the same row can't both be saved: one of them is rolled back, unless ` +
        `CONFLICTS has ${rule}`,
    );
  }
  return store;
}
