import type { BatchRef } from '../../domain/records/batch';
import type { JsonValue } from '../../domain/json';
import { parseJsonPointer, valueAt } from '../../domain/json-pointer';
import type { KeptRecord } from '../../domain/records/record';
import type { Run } from './database';
import type { Tables } from './schema';

/** A batch under the name of its file without the ending. */
export type NamedBatch = BatchRef & { name: string };

/** One record as the statement gets it. */
interface StatementRow {
  recordId: string;
  value: JsonValue;
  /** What stands at `POSTGRES_KEY`; without it where there is nothing. */
  key?: JsonValue | undefined;
  /** The batch's file without its ending. */
  batch: string;
  /** When the batch was cut; ISO 8601, UTC. */
  openedAt: string;
}

/** The statement that writes a batch, and the pointer to what makes two records the same row. */
export interface BulkStatement {
  sql: string;
  keyPointer: string;
  /** Whether a record has to have something there, as in our own table. */
  needsKey: boolean;
}

/** What makes a record the same row as others; undefined where there is nothing. */
export function keyOf({ keyPointer }: Pick<BulkStatement, 'keyPointer'>, { value }: KeptRecord) {
  return valueAt(value, parseJsonPointer(keyPointer));
}

/** Writes these records of a batch by one statement, with all of them in its only parameter: an array in JSON. */
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
 * The bulk upsert of our own table, for those without a statement of their own. Of two records with one key, that of the
 * batch that was cut later stays, whichever batch is closed first. In the order of the keys, so that two batches that
 * meet the same rows wait for each other and not both.
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
 * A value as JSON in ASCII. What we keep in our own tables must never be refused, whatever clients send and whatever
 * encoding the database has: LATIN1 has no €, and none has half a surrogate pair.
 */
export function asciiJson(value: JsonValue): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text as between the quotes of {@link asciiJson}: itself where it is plain, and different for different texts. */
export function textOf(text: string): string {
  return asciiJson(text).slice(1, -1);
}

/** The text that {@link textOf} was given. */
export function fromText(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}
