import { showPostgresUrl, type Config } from '../../config';
import { nothingFound, note, type ClosedReport } from '../../domain/audit/report';
import { readAuditedFile, type AuditedName } from '../../store/audited-files';
import type { AuditWatch } from './audit-watch';
import { bucketOptions, loadS3, showBucket } from '../s3-client';

/** Batches of a store that are read between two steps of a watched audit. */
const READ_BETWEEN_STEPS = 16;

/** A batch that is closed in a store, and so what its file has to be. */
interface ClosedBatch {
  file: string;
  /** As it may be: the store may not know in which format its file was written. */
  contents: readonly string[];
  /** Whether it was closed within the last minute: its file may be about to come. */
  lately: boolean;
}

/** Where closed batches are kept outside of the batch files. */
export interface ClosedIn {
  /** For people. */
  where: string;
  batches(): AsyncIterable<ClosedBatch>;
}

/** Where the configured store keeps closed batches, for each that does; only who has such a store loads its client. */
export async function closedIn(config: Config): Promise<{ postgres?: ClosedIn; s3?: ClosedIn }> {
  if (config.store === 'postgres') {
    const { auditedBatches } = await import('../../store/postgres/audited-batches.js');
    const { postgresUrl: url, postgresSchema: schema, postgresTimeoutMs: timeoutMs } = config;
    const where = showPostgresUrl(url);
    return {
      postgres: { where, batches: () => auditedBatches({ url, where, schema, poolSize: 1, timeoutMs }) },
    };
  }
  if (config.store === 's3') {
    const { auditedObjects } = await loadS3(() => import('../../store/s3/audited-objects.js'));
    return { s3: { where: showBucket(config), batches: () => auditedObjects(bucketOptions(config)) } };
  }
  return {};
}

/** Holds every batch that is closed in a store against its file, which has to have just its outcomes. */
export async function auditClosed(
  { batches }: ClosedIn,
  outDir: string,
  names: readonly AuditedName[],
  watch?: AuditWatch,
): Promise<ClosedReport> {
  const report: ClosedReport = {
    closed: 0,
    publishing: 0,
    unlistedFiles: 0,
    damage: { notPublished: nothingFound(), publishedOtherwise: nothingFound() },
  };
  const unlisted = new Set(names.flatMap(({ name, batchId }) => (batchId === undefined ? [] : [name])));
  for await (const { file, contents, lately } of batches()) {
    if (report.closed % READ_BETWEEN_STEPS === 0)
      await watch?.step({ stage: 'store', done: report.closed, of: null });
    report.closed++;
    unlisted.delete(file);
    const found = await readAuditedFile(outDir, file);
    if (found === undefined && lately) report.publishing++;
    else if (found === undefined) note(report.damage.notPublished, { file });
    else if (!contents.some((content) => content === found)) note(report.damage.publishedOtherwise, { file });
  }
  report.unlistedFiles = unlisted.size;
  return report;
}
