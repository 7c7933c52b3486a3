import path from 'node:path';
import type { Config } from '../../config';
import { createAudit } from '../../domain/audit/audit';
import { createLedger, type Ledger } from '../../domain/audit/ledger';
import {
  isClean,
  type BatchReport,
  type ClosedReport,
  type FileReport,
  type ShardSum,
} from '../../domain/audit/report';
import type { ConflictRule } from '../../domain/rules';
import { auditedNames, readAuditedFiles, valueKey } from '../../store/audited-files';
import { readLedger } from '../../store/ledger-files';
import { auditClosed, closedIn } from './audit-closed';
import type { AuditWatch } from './audit-watch';
import type { AuditedTemporal } from './audited-temporal';

/** Files that are read between two steps of a watched audit. */
const READ_BETWEEN_STEPS = 16;

/** Everything that an audit found; printed by `--json`. */
export interface AuditReport {
  clean: boolean;
  /** What the files were compared with. */
  checked: {
    outDir: string;
    maxBatchSize: number;
    conflicts: readonly ConflictRule[];
    ledgers: readonly string[];
    temporal: { namespace: string; batcherId: string } | null;
    /** Host, port and database. */
    postgres: string | null;
    /** Bucket, prefix and server. */
    s3: string | null;
  };
  ledger: { lines: number; tornLines: number } | null;
  files: FileReport;
  /** Null without Temporal. */
  batches: BatchReport | null;
  /** Null with another `STORE`; likewise `s3`. */
  postgres: ClosedReport | null;
  s3: ClosedReport | null;
  /** The sum of each open batcher that answered; null without Temporal. */
  sums: ShardSum[] | null;
  /** Older files that a bounded audit didn't read. */
  filesLeftOut: number;
  /** Batchers that could not be asked what they hold: records of theirs may count as missing. */
  silentBatchers: string[];
}

/** Options for an audit. */
export interface AuditOptions {
  config: Config;
  ledgers: readonly string[];
  temporal?: AuditedTemporal | undefined;
  /** Limits for an audit beside other work. Default: everything is read, as fast as possible. */
  watch?: AuditWatch | undefined;
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
export async function runAudit({ config, ledgers, temporal, watch }: AuditOptions): Promise<AuditReport> {
  const { outDir, maxBatchSize, conflicts } = config;
  const ledger = await readLedgers(ledgers);
  const audit = createAudit({ maxBatchSize, rules: conflicts, keyOf: valueKey, ledger });
  const closed = await temporal?.readBatches(outDir, watch);
  let filesRead = 0;

  async function addFiles(names: Awaited<ReturnType<typeof auditedNames>>): Promise<void> {
    for await (const file of readAuditedFiles(outDir, names)) {
      if (watch !== undefined && audit.outcomes() >= watch.most.outcomes) return;
      if (filesRead++ % READ_BETWEEN_STEPS === 0)
        await watch?.step({ stage: 'files', done: filesRead - 1, of: names.length });
      const known = closed?.cutBy.get(file.batchId ?? '');
      // Batches that weren't listed yet, or were running, are looked up where it matters.
      const asked = known === undefined && temporal !== undefined && audit.isSuspect(file);
      audit.add(file, asked ? await temporal.readCut(file.batchId) : known);
    }
  }
  const names = await auditedNames(outDir);
  // Their names begin with their time.
  const newest = watch === undefined ? names : names.toReversed().slice(0, watch.most.files);
  await addFiles(newest);
  const filesLeftOut = names.length - Math.min(names.length, filesRead);

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
  const elsewhere = await closedIn(config);
  const published = await auditedNames(outDir);
  const postgres = elsewhere.postgres
    ? await auditClosed(elsewhere.postgres, outDir, published, watch)
    : null;
  const s3 = elsewhere.s3 ? await auditClosed(elsewhere.s3, outDir, published, watch) : null;
  const files = audit.report((recordId) => waiting.has(recordId));
  const asked = await temporal?.readSums();
  const sums = asked?.sums ?? null;
  const addUp = sums?.every(({ unaccounted }) => unaccounted === 0) ?? true;
  return {
    clean: addUp && [files, batches, postgres, s3].every((part) => part === null || isClean(part.damage)),
    checked: {
      outDir: path.resolve(outDir),
      maxBatchSize,
      conflicts,
      ledgers,
      temporal: temporal ? { namespace: temporal.namespace, batcherId: temporal.batcherId } : null,
      postgres: elsewhere.postgres?.where ?? null,
      s3: elsewhere.s3?.where ?? null,
    },
    ledger: ledger === undefined ? null : { lines: ledger.lines, tornLines: ledger.tornLines },
    files,
    batches,
    postgres,
    s3,
    sums,
    filesLeftOut,
    silentBatchers: [...new Set([...silentBatchers, ...(asked?.silentBatchers ?? [])])],
  };
}

async function readLedgers(paths: readonly string[]): Promise<Ledger | undefined> {
  if (paths.length === 0) return undefined;
  const collected = createLedger(valueKey);
  for (const file of paths) await readLedger(file, collected);
  return collected.ledger;
}
