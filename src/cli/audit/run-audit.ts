import path from 'node:path';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { showPostgresUrl, type Config } from '../../config';
import { createAudit } from '../../domain/audit';
import { createLedger, type Ledger } from '../../domain/audit-ledger';
import { isClean, type BatchReport, type FileReport, type PostgresReport } from '../../domain/audit-report';
import type { ConflictRule } from '../../domain/conflict-rules';
import type { CutBy } from '../../domain/cut-by';
import { auditedNames, readAuditedFiles, valueKey } from '../../store/audited-files';
import { readLedger } from '../../store/ledger-files';
import { listAllBatches } from '../../temporal/all-batches';
import { createBatchReader, type BatchReader } from '../../temporal/batch-reader';
import { batcherAddress } from '../../temporal/batcher-address';
import type { BatcherAddress } from '../../temporal/ingest';
import { findWaiting } from '../../temporal/waiting-records';
import { auditBatches } from './audit-batches';
import { auditPostgres } from './audit-postgres';

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
  /** Batchers that could not be asked what they hold: records of theirs may count as missing. */
  silentBatchers: string[];
}

export interface AuditOptions {
  config: Config;
  ledgers: readonly string[];
  client?: Client | undefined;
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
export async function runAudit({ config, ledgers, client }: AuditOptions): Promise<AuditReport> {
  const { outDir, maxBatchSize, conflicts } = config;
  const ledger = await readLedgers(ledgers);
  const address = batcherAddress(config);
  const audit = createAudit({ maxBatchSize, rules: conflicts, keyOf: valueKey, ledger });
  const temporal = client && (await readBatches(client, address, outDir));

  async function addFiles(names: Awaited<ReturnType<typeof auditedNames>>): Promise<void> {
    for await (const file of readAuditedFiles(outDir, names)) {
      const known = temporal?.cutBy.get(file.batchId ?? '');
      // Batches that weren't listed yet, or were running, are asked for where it matters.
      const asked = known === undefined && temporal !== undefined && audit.isSuspect(file);
      audit.add(file, asked ? await readCut(temporal.reader, file.batchId) : known);
    }
  }
  const names = await auditedNames(outDir);
  await addFiles(names);

  const waiting = new Set<string>();
  let silentBatchers: string[] = [];
  const batches = temporal?.report ?? null;
  if (temporal !== undefined) {
    const { listed, report } = temporal;
    report.unlistedFiles = names.filter(
      ({ batchId }) => batchId !== undefined && !listed.has(batchId),
    ).length;
    const open = new Set(audit.unaccounted());
    if (open.size > 0) {
      // What was listed as closed may have been restarted since.
      const unfinished = [...listed.values()].filter(({ state }) => state !== 'completed');
      const batchIds = unfinished.map(({ batchId }) => batchId);
      const found = await findWaiting(temporal.client, address, temporal.reader, open, batchIds);
      for (const recordId of found.recordIds) waiting.add(recordId);
      silentBatchers = found.silentBatchers;
      const before = new Set(names.map(({ name }) => name));
      await addFiles((await auditedNames(outDir)).filter(({ name }) => !before.has(name)));
    }
  }

  // Last: what it has closed before is published by now, or will be.
  const postgres =
    config.store === 'postgres' ? await auditPostgres(config, await auditedNames(outDir)) : null;
  const files = audit.report((recordId) => waiting.has(recordId));
  return {
    clean: [files, batches, postgres].every((part) => part === null || isClean(part.damage)),
    checked: {
      outDir: path.resolve(outDir),
      maxBatchSize,
      conflicts,
      ledgers,
      temporal: client ? { namespace: client.options.namespace, batcherId: config.batcherId } : null,
      postgres: postgres && showPostgresUrl(config.postgresUrl),
    },
    ledger: ledger === undefined ? null : { lines: ledger.lines, tornLines: ledger.tornLines },
    files,
    batches,
    postgres,
    silentBatchers,
  };
}

/** What Temporal lists, each batch held against its file, and who to ask further. */
async function readBatches(client: Client, address: BatcherAddress, outDir: string) {
  const reader = createBatchReader(client);
  const listed = await listAllBatches(client, address);
  return { client, reader, listed, ...(await auditBatches([...listed.values()], reader, outDir)) };
}

/** What a batch was cut by; undefined when Temporal doesn't know it, or it began before that was noted. */
async function readCut(reader: BatchReader, batchId: string | undefined): Promise<CutBy | undefined> {
  try {
    const facts = batchId === undefined ? undefined : await reader.facts(batchId);
    return facts && (await reader.input(facts.summary)).cutBy;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function readLedgers(paths: readonly string[]): Promise<Ledger | undefined> {
  if (paths.length === 0) return undefined;
  const collected = createLedger(valueKey);
  for (const file of paths) await readLedger(file, collected);
  return collected.ledger;
}
