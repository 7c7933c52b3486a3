import type { BatchRef } from '../../domain/records/batch';
import type { JsonValue } from '../../domain/json';
import { parseJsonPointer, valueAt } from '../../domain/json-pointer';
import type { KeptRecord } from '../../domain/records/record';
import type { Run } from './database';
import type { Tables } from './schema';

/** A batch with the name of its file, without extension. */
export type NamedBatch = BatchRef & { name: string };

/** One record as the statement gets it. */
interface StatementRow {
  recordId: string;
  value: JsonValue;
  /** The value at `POSTGRES_KEY`; absent if there is none. */
  key?: JsonValue | undefined;
  /** Name of the batch's file, without extension. */
  batch: string;
  /** When the batch was cut; ISO 8601, UTC. */
  openedAt: string;
}

/** The statement that writes a batch, and the pointer to the value that identifies a row. */
export interface BulkStatement {
  sql: string;
  keyPointer: string;
  /** Whether a record must have a value there, as in our own table. */
  needsKey: boolean;
}

/** The value that identifies the row of a record; undefined if there is none. */
export function keyOf({ keyPointer }: Pick<BulkStatement, 'keyPointer'>, { value }: KeptRecord) {
  return valueAt(value, parseJsonPointer(keyPointer));
}

/** Writes records of a batch with one statement, whose only parameter has all of them as a JSON array. */
export async function runStatement(
  run: Run,
  { sql, keyPointer }: Pick<BulkStatement, 'sql' | 'keyPointer'>,
  { name, openedAtMs }: NamedBatch,
  records: readonly KeptRecord[],
): Promise<void> {
  const tokens = parseJsonPointer(keyPointer);
  const openedAt = new Date(openedAtMs).toISOString();
  const rows = records.map(({ recordId, value }): StatementRow => {
    return { recordId: textOf(recordId), value, key: valueAt(value, tokens), batch: name, openedAt };
  });
  await run(sql, [JSON.stringify(rows)]);
}

/**
 * The bulk upsert into our own table, for users without a statement of their own. Of two records with one key, the one whose
 * batch was cut later stays, whichever batch is closed first. Rows are locked in key order, so two batches with the same rows
 * can't deadlock.
 */
export function ownUpsert({ records }: Tables): string {
  return `
    INSERT INTO ${records} AS kept (key, value, record_id, batch, opened_at, updated_at)
    SELECT r->'key', r->'value', r->>'recordId', r->>'batch', (r->>'openedAt')::timestamptz, now()
    FROM jsonb_array_elements($1) AS r
    ORDER BY r->'key'
    ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, record_id = excluded.record_id, batch = excluded.batch,
      opened_at = excluded.opened_at, updated_at = excluded.updated_at
    WHERE (kept.opened_at, kept.batch COLLATE "C") <= (excluded.opened_at, excluded.batch COLLATE "C")`;
}

/**
 * A value as ASCII JSON. Our own tables must accept whatever clients send, in a database of any encoding: LATIN1 has no €,
 * and no encoding has half a surrogate pair.
 */
export function asciiJson(value: JsonValue): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text as in {@link asciiJson}, without the quotes: unchanged if it is plain, and different for different texts. */
export function textOf(text: string): string {
  return asciiJson(text).slice(1, -1);
}

/** Reverses {@link textOf}. */
export function fromText(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}
