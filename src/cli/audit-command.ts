import type { Command } from 'commander';
import type { Config } from '../config';
import { KeepapartError } from '../domain/errors';
import { connectClient } from '../temporal/connection';
import { renderAudit } from './audit/render-audit';
import { runAudit, type AuditReport } from './audit/run-audit';
import { addSettingFlags, readConfig } from './read-config';
import { findTemporal } from './temporal-role';

/** Exit codes, besides those of failures: a call that was wrong is told from damage by its 2. */
const EXIT = { clean: 0, damaged: 1 } as const;

type Flags = Readonly<Record<string, unknown>> & { ledger: string[]; temporal?: true; json?: true };

/** `keepapart audit`: holds batch files, and what was acknowledged, against the guarantees. Changes nothing anywhere. */
export function registerAudit(program: Command): void {
  const command = program
    .command('audit')
    .description('check the batch files: nothing lost, doubled, torn, too large or together that must not be')
    .option(
      '--ledger <file>',
      'what was acknowledged, as JSON lines {"recordId","value"}; may be repeated',
      (file, files: string[]) => [...files, file],
      [],
    )
    .option('--temporal', 'also hold every closed batch that Temporal lists against its file')
    .option('--json', 'print the report as JSON');
  addSettingFlags(command).action(async (flags: Flags) => {
    const { config } = readConfig(flags);
    const report = flags.temporal
      ? await withTemporal(config, flags.ledger)
      : await runAudit({ config, ledgers: flags.ledger });
    process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : renderAudit(report));
    process.exitCode = report.clean ? EXIT.clean : EXIT.damaged;
  });
}

async function withTemporal(config: Config, ledgers: readonly string[]): Promise<AuditReport> {
  const temporal = await findTemporal(config);
  if (temporal === undefined) {
    throw new KeepapartError(
      'temporal-unavailable',
      `no Temporal server runs at TEMPORAL_PORT (${config.temporalPort}): start keepapart, set TEMPORAL_ADDRESS, ` +
        'or audit without --temporal',
    );
  }
  // Only connects: an audit registers nothing.
  const client = await connectClient(temporal.target);
  try {
    return await runAudit({ config, ledgers, client });
  } finally {
    await client.connection.close();
  }
}
