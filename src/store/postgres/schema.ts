import { KeepapartError } from '../../domain/errors';
import type { Database, Run } from './database';

/** Of the tables below; a later version of keepapart may change them, and then counts on. */
const VERSION = 1;

/** Our own tables. The schema's name is checked before: it is part of the statements. */
export function tablesIn(schema: string) {
  const table = (name: string): string => `"${schema}".${name}`;
  return {
    version: table('version'),
    batches: table('batches'),
    staged: table('staged'),
    outcomes: table('outcomes'),
    records: table('records'),
  };
}
export type Tables = ReturnType<typeof tablesIn>;

/**
 * Creates our tables where they are not there yet. Safe beside other workers that do the same, and content with a role
 * that may create nothing when somebody else has created them.
 */
export async function createTables(database: Database, schema: string, patienceMs: number): Promise<void> {
  await database.transaction(async (run) => {
    await run(`SELECT pg_advisory_xact_lock(hashtext('keepapart'), hashtext($1))`, [schema]);
    const found = await versionOf(run, tablesIn(schema));
    if (found === undefined) {
      await run(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
      for (const statement of definitions(tablesIn(schema))) await run(statement);
    } else if (found !== VERSION) {
      throw new KeepapartError(
        'postgres-unusable',
        `the tables in the schema ${schema} are of version ${found}, and this keepapart knows version ${VERSION}`,
      );
    }
  }, patienceMs);
}

async function versionOf(run: Run, { version }: Tables): Promise<number | undefined> {
  const [there] = await run<{ name: string | null }>('SELECT to_regclass($1) AS name', [version]);
  if (there?.name == null) return undefined;
  const [row] = await run<{ version: number }>(`SELECT version FROM ${version}`);
  return row?.version;
}

/*
 * A batch is named by its file without the ending, not by its id alone, since ids start over when Temporal's database is
 * thrown away. Texts that clients choose and errors are kept as `textOf` writes them, so that a database of any encoding holds
 * them. An id may come twice in a batch: its key was forgotten, and the client sent it again.
 */
function definitions({ version, batches, staged, outcomes, records }: Tables): string[] {
  return [
    `CREATE TABLE ${version} (version integer NOT NULL)`,
    `INSERT INTO ${version} VALUES (${VERSION})`,
    // Everything that is done for a batch locks its row first; `closed_at` is what a late worker finds.
    `CREATE TABLE ${batches} (
      batch text PRIMARY KEY,
      batch_id text NOT NULL,
      opened_at timestamptz NOT NULL,
      closed_at timestamptz,
      outcome_format text
    )`,
    `CREATE TABLE ${staged} (
      batch text NOT NULL REFERENCES ${batches} ON DELETE CASCADE,
      record_id text NOT NULL,
      value text NOT NULL,
      PRIMARY KEY (batch, record_id)
    )`,
    `CREATE TABLE ${outcomes} (
      batch text NOT NULL REFERENCES ${batches} ON DELETE CASCADE,
      position integer NOT NULL,
      record_id text NOT NULL,
      value text NOT NULL,
      outcome text NOT NULL,
      attempts integer NOT NULL,
      error text,
      rollback_error text,
      at timestamptz NOT NULL,
      PRIMARY KEY (batch, position)
    )`,
    // jsonb compares as the rules do: the order of members doesn't matter, 1 and 1.0 are the same, 1 and "1" are not.
    `CREATE TABLE ${records} (
      key jsonb PRIMARY KEY,
      value jsonb NOT NULL,
      record_id text NOT NULL,
      batch text NOT NULL,
      opened_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL
    )`,
  ];
}
