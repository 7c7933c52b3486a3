import { hasFailingExample, isOwnStore, showPostgresUrl, type Config } from '../config';
import type { Log } from '../contracts/log';
import { FAILING_EXAMPLE_RATE } from '../domain/records/failing-example';
import type { RecordStore } from '../domain/records/record-store';
import { createFailingStore } from '../store/failing-store';
import { prepareFolders, prepareOutDir } from '../store/folders';
import type { StoreDefinition } from '../store/own/definition';
import { openOwnStore } from '../store/own/open-own-store';
import type { SavingStoreOptions } from '../store/own/saving-store';
import { sweep, sweepUnfinished } from '../store/sweep';
import { loadOwnModule } from './own-module';
import { bucketOptions, loadS3 } from './s3-client';
import type { Stops } from './stops';

interface Context {
  config: Config;
  logger: Log;
  lifecycle: Stops;
  /** An existing store, instead of the one that STORE names. */
  ownStore?: StoreDefinition | undefined;
  /** Of folders that are created, where no umask says it. */
  folderMode?: number;
}

/** The record store that is configured, ready to be used; closed by the lifecycle. */
export async function openStore(context: Context): Promise<RecordStore> {
  const { config, ownStore } = context;
  return createFailingStore(await openFaultlessStore(context), {
    failureRate: config.saveFailureRate,
    exampleRate: hasFailingExample(config.store) && ownStore === undefined ? FAILING_EXAMPLE_RATE : 0,
  });
}

/** The same without the failures on purpose of `SAVE_FAILURE_RATE`. Each kind loads its own packages and no other's. */
export function openFaultlessStore(context: Context): Promise<RecordStore> {
  const { store } = context.config;
  if (context.ownStore !== undefined) return openOwn(context, context.ownStore);
  if (store === 'postgres') return openInPostgres(context);
  if (store === 'http') return openOverHttp(context);
  if (store === 's3') return openInS3(context);
  return isOwnStore(store) ? openOwn(context) : openInFiles(context);
}

const CLEARED = 'removed what crashed attempts had left behind';

async function prepareFiles({ config, logger, folderMode }: Context): Promise<void> {
  await prepareFolders(config, folderMode);
  logger.debug(await sweep(config), CLEARED);
}

async function openInFiles(context: Context): Promise<RecordStore> {
  await prepareFiles(context);
  const { createFileStore } = await import('../store/file-store.js');
  return createFileStore(context.config);
}

async function openOwn(context: Context, given?: StoreDefinition): Promise<RecordStore> {
  await prepareFiles(context);
  const { store, storeOptions: options } = context.config;
  const name = given === undefined ? store : 'the store of this app';
  const exported = given ?? (await loadOwnModule(name));
  const opened = await openOwnStore(exported, { ...savingOptions(context), name, options });
  context.lifecycle.onStop(`the store of ${name}`, () => opened.close());
  return opened;
}

async function openOverHttp(context: Context): Promise<RecordStore> {
  await prepareFiles(context);
  const { storeUrl: url, storeSecrets: secrets, storePrivateAddresses } = context.config;
  const { createEndpoint } = await import('../store/http/endpoint.js');
  const { createSavingStore } = await import('../store/own/saving-store.js');
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

async function openInS3({ config, logger, lifecycle, folderMode }: Context): Promise<RecordStore> {
  await prepareOutDir(config, folderMode);
  const unfinishedFiles = await sweepUnfinished(config);
  const { openS3Store } = await loadS3(() => import('../store/s3/s3-store.js'));
  const store = await openS3Store({ ...bucketOptions(config), outDir: config.outDir });
  lifecycle.onStop('the connections to S3', () => store.close());
  logger.debug({ unfinishedFiles, staged: await store.sweep() }, CLEARED);
  return store;
}

async function openInPostgres({ config, logger, lifecycle, folderMode }: Context): Promise<RecordStore> {
  await prepareOutDir(config, folderMode);
  logger.debug({ unfinishedFiles: await sweepUnfinished(config) }, CLEARED);
  const { postgresUrl, postgresSchema, postgresStatement, postgresKey, conflicts, outDir } = config;
  const { openPostgresStore } = await import('../store/postgres/postgres-store.js');
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
    const message =
      'Postgres runs with fsync=off: a power cut there loses records that were reported as saved';
    logger.warn({}, message);
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
