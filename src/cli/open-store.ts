import type { Logger } from 'pino';
import { showPostgresUrl, type Config } from '../config';
import type { RecordStore } from '../domain/record-store';
import { createFailingStore } from '../store/failing-store';
import { createFileStore } from '../store/file-store';
import { prepareFolders, prepareOutDir } from '../store/folders';
import { openPostgresStore } from '../store/postgres/postgres-store';
import { sweep, sweepUnfinished } from '../store/sweep';
import type { Lifecycle } from './lifecycle';

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

/** The same without the failures on purpose of `SAVE_FAILURE_RATE`. */
export function openFaultlessStore(context: Context): Promise<RecordStore> {
  return context.config.store === 'postgres' ? openInPostgres(context) : openInFiles(context);
}

const CLEARED = 'cleared what crashed attempts had left behind';

async function openInFiles({ config, logger }: Context): Promise<RecordStore> {
  await prepareFolders(config);
  logger.debug(await sweep(config), CLEARED);
  return createFileStore(config);
}

async function openInPostgres({ config, logger, lifecycle }: Context): Promise<RecordStore> {
  await prepareOutDir(config);
  logger.debug({ unfinishedFiles: await sweepUnfinished(config) }, CLEARED);
  const { postgresUrl, postgresSchema, postgresStatement, postgresKey, conflicts, outDir } = config;
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
