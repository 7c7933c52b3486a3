import type { Client } from '@temporalio/client';
import type { RunAudit } from '../../../activities/audit';
import type { Config } from '../../config';
import { MAX_PLACE_LENGTH } from '../../contracts/workflow/audit';
import { batchDamages, closedDamages, fileDamages, sumDamages } from '../../domain/audit/damages';
import { considerateAudit } from './audit-watch';
import { auditedTemporal } from './audited-temporal';
import { runAudit } from './run-audit';

/** The audit that a worker runs when the API asks for one: like `keepapart audit --temporal`, but bounded and slower. */
export function auditForApi(client: Client, config: Config): RunAudit {
  return async (onProgress, signal) => {
    const watch = considerateAudit(onProgress, signal);
    const temporal = auditedTemporal(client, config);
    const report = await runAudit({ config, ledgers: [], temporal, watch });
    const { files, batches, postgres, s3, sums, filesLeftOut } = report;
    const listed =
      batches === null
        ? 0
        : batches.completed +
          batches.running +
          batches.closedWithFile +
          batches.forgotten +
          batches.damage.abandoned.count;
    return {
      clean: report.clean,
      worker: client.options.identity,
      files: files.files,
      saved: files.outcomes.saved,
      rolledBack: files.outcomes.rolledBack,
      batches: batches?.completed ?? 0,
      running: batches?.running ?? 0,
      filesLeftOut,
      batchesLeftOut: listed >= watch.most.batches,
      silentBatchers: report.silentBatchers,
      damage: [
        ...fileDamages(files.damage),
        ...(batches === null ? [] : batchDamages(batches.damage)),
        ...[postgres, s3].flatMap((closed) => (closed === null ? [] : closedDamages(closed))),
        ...sumDamages(sums ?? []),
      ].map((damage) => ({
        ...damage,
        places: damage.places.map(({ text, find }) => ({ text: text.slice(0, MAX_PLACE_LENGTH), find })),
      })),
    };
  };
}
