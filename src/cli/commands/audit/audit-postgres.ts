import { showPostgresUrl, type Config } from '../../../config';
import { nothingFound, note, type PostgresReport } from '../../../domain/audit/report';
import { readAuditedFile, type AuditedName } from '../../../store/audited-files';
import { auditedBatches } from '../../../store/postgres/audited-batches';

/** Holds every batch that is closed in Postgres against its file, which has to have just its outcomes. */
export async function auditPostgres(config: Config, names: readonly AuditedName[]): Promise<PostgresReport> {
  const { postgresUrl, postgresSchema, postgresTimeoutMs, outDir } = config;
  const report: PostgresReport = {
    closed: 0,
    publishing: 0,
    unlistedFiles: 0,
    damage: { notPublished: nothingFound(), publishedOtherwise: nothingFound() },
  };
  const unlisted = new Set(names.flatMap(({ name, batchId }) => (batchId === undefined ? [] : [name])));
  const closed = auditedBatches({
    url: postgresUrl,
    where: showPostgresUrl(postgresUrl),
    schema: postgresSchema,
    poolSize: 1,
    timeoutMs: postgresTimeoutMs,
  });
  for await (const { file, content, lately } of closed) {
    report.closed++;
    unlisted.delete(file);
    const found = await readAuditedFile(outDir, file);
    if (found === undefined && lately) report.publishing++;
    else if (found === undefined) note(report.damage.notPublished, { file });
    else if (found !== content) note(report.damage.publishedOtherwise, { file });
  }
  report.unlistedFiles = unlisted.size;
  return report;
}
