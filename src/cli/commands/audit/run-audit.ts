import path from 'node:path';
import { showPostgresUrl, type Config } from '../../../config';
import { createAudit } from '../../../domain/audit/audit';
import { createLedger, type Ledger } from '../../../domain/audit/ledger';
import {
  isClean,
  type BatchReport,
  type FileReport,
  type PostgresReport,
  type ShardSum,
} from '../../../domain/audit/report';
import type { ConflictRule } from '../../../domain/rules';
import { auditedNames, readAuditedFiles, valueKey } from '../../../store/audited-files';
import { readLedger } from '../../../store/ledger-files';
import type { AuditedTemporal } from './audited-temporal';

/** All that an audit found; what `--json` prints. */
export interface AuditReport {
  clean: boolean;
  /** What the files were held against. */
  checked: {
    outDir: string;
    maxBatchSize: number;
    conflicts: readonly ConflictRule[];
    ledgers: readonly string[];
    temporal: { namespace: string; batcherId: string } | null;
    /** Host, port and database. */
    postgres: string | null;
  };
  ledger: { lines: number; tornLines: number } | null;
  files: FileReport;
  /** Null without Temporal. */
  batches: BatchReport | null;
  /** Null with `STORE=file`. */
  postgres: PostgresReport | null;
  /** The sum of each open batcher that answered; null without Temporal. */
  sums: ShardSum[] | null;
  /** Batchers that could not be asked what they hold: records of theirs may count as missing. */
  silentBatchers: string[];
}

export interface AuditOptions {
  config: Config;
  ledgers: readonly string[];
  temporal?: AuditedTemporal | undefined;
}

/**
 * Audits a system that may be at work. The order makes that safe, as records only ever go from ledger and buffer over a
 * batch to a file: what is looked at later can hold more, never less. So the ledger comes first, then the batches that
 * Temporal lists, each with its file, then all files; what isn't in them yet is asked for last, and files of meanwhile
 * are read after that.
 *
 * With Temporal, each file is held against what its batch was cut by: rules may have changed since. Without, and where
 * Temporal has forgotten the batch, against what is configured.
 */
export async function runAudit({ config, ledgers, temporal }: AuditOptions): Promise<AuditReport> {
  const { outDir, maxBatchSize, conflicts } = config;
  const ledger = await readLedgers(ledgers);
  const audit = createAudit({ maxBatchSize, rules: conflicts, keyOf: valueKey, ledger });
  const closed = await temporal?.readBatches(outDir);

  async function addFiles(names: Awaited<ReturnType<typeof auditedNames>>): Promise<void> {
    for await (const file of readAuditedFiles(outDir, names)) {
      const known = closed?.cutBy.get(file.batchId ?? '');
      // Batches that weren't listed yet, or were running, are asked for where it matters.
      const asked = known === undefined && temporal !== undefined && audit.isSuspect(file);
      audit.add(file, asked ? await temporal.readCut(file.batchId) : known);
    }
  }
  const names = await auditedNames(outDir);
  await addFiles(names);

  const waiting = new Set<string>();
  let silentBatchers: string[] = [];
  const batches = closed?.report ?? null;
  if (temporal !== undefined && closed !== undefined) {
    const { listed, report } = closed;
    report.unlistedFiles = names.filter(
      ({ batchId }) => batchId !== undefined && !listed.has(batchId),
    ).length;
    const open = new Set(audit.unaccounted());
    if (open.size > 0) {
      // What was listed as closed may have been restarted since.
      const unfinished = [...listed.values()].filter(({ state }) => state !== 'completed');
      const batchIds = unfinished.map(({ batchId }) => batchId);
      const found = await temporal.findWaiting(open, batchIds);
      for (const recordId of found.recordIds) waiting.add(recordId);
      silentBatchers = found.silentBatchers;
      const before = new Set(names.map(({ name }) => name));
      await addFiles((await auditedNames(outDir)).filter(({ name }) => !before.has(name)));
    }
  }

  // Last: what it has closed before is published by now, or will be.
  const postgres = config.store === 'postgres' ? await readPostgres(config) : null;
  const files = audit.report((recordId) => waiting.has(recordId));
  const asked = await temporal?.readSums();
  const sums = asked?.sums ?? null;
  const addUp = sums?.every(({ unaccounted }) => unaccounted === 0) ?? true;
  return {
    clean: addUp && [files, batches, postgres].every((part) => part === null || isClean(part.damage)),
    checked: {
      outDir: path.resolve(outDir),
      maxBatchSize,
      conflicts,
      ledgers,
      temporal: temporal ? { namespace: temporal.namespace, batcherId: temporal.batcherId } : null,
      postgres: postgres && showPostgresUrl(config.postgresUrl),
    },
    ledger: ledger === undefined ? null : { lines: ledger.lines, tornLines: ledger.tornLines },
    files,
    batches,
    postgres,
    sums,
    silentBatchers: [...new Set([...silentBatchers, ...(asked?.silentBatchers ?? [])])],
  };
}

async function readPostgres(config: Config): Promise<PostgresReport> {
  // Only who has such a store needs its driver.
  const { auditPostgres } = await import('./audit-postgres.js');
  return auditPostgres(config, await auditedNames(config.outDir));
}

async function readLedgers(paths: readonly string[]): Promise<Ledger | undefined> {
  if (paths.length === 0) return undefined;
  const collected = createLedger(valueKey);
  for (const file of paths) await readLedger(file, collected);
  return collected.ledger;
}
