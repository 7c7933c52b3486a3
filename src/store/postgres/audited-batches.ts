import { KeepapartError } from '../../domain/errors';
import { outcomeFileContent } from '../../domain/records/outcome';
import { createBatchRows, settledOf } from './batch-rows';
import { createDatabase, type DatabaseOptions } from './database';
import { describePostgresError } from './postgres-errors';
import { tablesIn } from './schema';

/** A batch that is closed in Postgres, and the expected content of its file. */
export interface AuditedBatch {
  file: string;
  contents: readonly string[];
  /** Whether it was closed within the last minute, so its file may still be on its way. */
  lately: boolean;
}

/** How many batches are read at once. */
const PAGE = 200;

/**
 * Every batch that is closed in Postgres. Read-only.
 * @throws `postgres-unusable` if it can't be read: an audit that looked at nothing must not pass
 */
export async function* auditedBatches({
  schema,
  where,
  ...options
}: DatabaseOptions & { schema: string; where: string }): AsyncGenerator<AuditedBatch> {
  const rows = createBatchRows(tablesIn(schema));
  const database = createDatabase(options);
  try {
    for (let after = ''; ;) {
      const page = await database.transaction(async (run) => {
        const closed = await rows.closedAfter(run, after, PAGE);
        return {
          closed,
          outcomes: await rows.outcomes(
            run,
            closed.map(({ batch }) => batch),
          ),
        };
      }, 0);
      for (const { batch, format, lately } of page.closed) {
        const settled = (page.outcomes.get(batch) ?? []).map(settledOf);
        yield { file: `${batch}.log`, contents: [outcomeFileContent(settled, format)], lately };
      }
      const last = page.closed.at(-1);
      if (last === undefined) return;
      after = last.batch;
    }
  } catch (cause) {
    const detail = `Postgres (${where}): ${describePostgresError(cause)}`;
    throw new KeepapartError('postgres-unusable', detail, { cause });
  } finally {
    await database.close();
  }
}
