import { KeepapartError } from '../../domain/errors';
import type { Database, Run } from './database';

/** Version of the tables below, to be increased when a later version of keepapart changes them. */
const VERSION = 1;

/** Our own tables. The schema's name must be validated before, because it is part of the statements. */
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
 * Creates our tables if they don't exist. Safe if other workers do the same at the same time. A role without the privilege
 * to create anything is enough if the tables exist.
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
        `the tables in the schema ${schema} have version ${found}, but this keepapart needs version ${VERSION}`,
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
 * A batch is identified by the name of its file without extension rather than by its id alone, because ids start over when
 * Temporal's database is discarded. Texts that clients choose, and errors, are stored as `textOf` writes them, so that a
 * database of any encoding can hold them. An id may occur twice in a batch, if its key was forgotten and the client sent it
 * again.
 */
function definitions({ version, batches, staged, outcomes, records }: Tables): string[] {
  return [
    `CREATE TABLE ${version} (version integer NOT NULL)`,
    `INSERT INTO ${version} VALUES (${VERSION})`,
    // Every operation on a batch locks its row first; a late worker finds `closed_at`.
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
    // jsonb compares like the rules: the order of members doesn't matter, 1 and 1.0 are equal, 1 and "1" are not.
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
