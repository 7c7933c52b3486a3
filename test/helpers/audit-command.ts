import { writeFile } from 'node:fs/promises';
import { runAudit, type AuditReport } from '../../src/embed/audit/run-audit';
import { loadConfig } from '../../src/config';
import type { Found } from '../../src/domain/audit/report';
import type { JsonValue } from '../../src/domain/json';
import { startCommand } from './system';

/** What the real command says, and its exit code. */
export interface Audited {
  code: number | string;
  report: AuditReport;
  /** The kinds of damage that were found, with their counts. */
  damage: Record<string, number>;
}

/** Runs `keepapart audit --json` as a user would. */
export async function runAuditCommand(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<Audited> {
  const command = startCommand(['audit', '--json', ...args], options);
  const code = await command.ended;
  if (command.stdout() === '') throw new Error(`audit ended with ${code}: ${command.stderr()}`);
  const report = JSON.parse(command.stdout()) as AuditReport;
  return { code, report, damage: damageOf(report) };
}

/** The same audit in this process: ten times as fast as a command that has to start. */
export async function auditHere(ledgers: readonly string[], env: Record<string, string>) {
  const report = await runAudit({ config: loadConfig({ env }).config, ledgers });
  return { clean: report.clean, damage: damageOf(report) };
}

function damageOf({ files, batches, postgres, s3 }: AuditReport): Record<string, number> {
  const kinds = Object.entries({ ...files.damage, ...batches?.damage, ...(postgres ?? s3)?.damage }) as [
    string,
    Found<unknown>,
  ][];
  const found = kinds.map(([kind, { count }]) => [kind, count] as const).filter(([, count]) => count > 0);
  return Object.fromEntries(found);
}

/** Writes a ledger as a load generator would. */
export async function writeLedger(
  path: string,
  records: readonly { recordId: string; value: JsonValue }[],
): Promise<void> {
  await writeFile(
    path,
    records.map(({ recordId, value }) => `${JSON.stringify({ recordId, value })}\n`).join(''),
  );
}
