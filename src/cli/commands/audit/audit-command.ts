import type { Command } from 'commander';
import { renderAudit } from './render-audit';
import { runAudit, type AuditOptions, type AuditReport } from '../../../embed/audit/run-audit';
import { addUnlistedSettingFlags, readConfig } from '../../process/read-config';

/** Exit codes, besides those of failures: a call that was wrong is told from damage by its 2. */
const EXIT = { clean: 0, damaged: 1 } as const;

type Flags = Readonly<Record<string, unknown>> & { ledger: string[]; temporal?: true; json?: true };

/** `keepapart audit`: holds batch files, and what was acknowledged, against the guarantees. Changes nothing anywhere. */
export function registerAudit(program: Command): void {
  const command = program
    .command('audit')
    .description(
      'check the batch files: no records lost, duplicated or in conflict, no files torn or too large',
    )
    .option(
      '--ledger <file>',
      'acknowledged records as JSON lines {"recordId","value"}; may be repeated',
      (file, files: string[]) => [...files, file],
      [],
    )
    .option('--temporal', 'also compare every closed batch in Temporal with its file')
    .option('--json', 'print the report as JSON');
  addUnlistedSettingFlags(command).action(async (flags: Flags) => {
    const { config } = readConfig(flags);
    const audit = { config, ledgers: flags.ledger };
    const report = await (flags.temporal ? withTemporal(audit) : runAudit(audit));
    process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : renderAudit(report));
    process.exitCode = report.clean ? EXIT.clean : EXIT.damaged;
  });
}

/** Temporal's client takes a second to load, which an audit of the files alone needn't wait for. */
async function withTemporal(audit: AuditOptions): Promise<AuditReport> {
  const { auditedTemporal } = await import('../../../embed/audit/audited-temporal.js');
  const { withTemporal: connected } = await import('../../process/temporal-role.js');
  const { config } = audit;
  return connected(
    config,
    (client) => runAudit({ ...audit, temporal: auditedTemporal(client, config) }),
    'audit without --temporal',
  );
}
