import type { JsonValue } from '../../domain/json';
import type { Outcome, OutcomeFormat, SettledRecord } from '../../domain/records/outcome';
import type { KeptRecord } from '../../domain/records/record';
import { asciiJson, fromText, textOf, type NamedBatch } from './bulk-statement';
import type { Run } from './database';
import type { Tables } from './schema';

type BatchState = { closed: boolean; format: string | null };

/** A closed batch, and whether it was closed within the last minute. */
type ClosedRow = { batch: string; format: OutcomeFormat; lately: boolean };

/** An outcome as it is stored in its row. */
export type OutcomeRow = [
  recordId: string,
  value: string,
  outcome: string,
  attempts: number,
  error: string | null,
  rollbackError: string | null,
  atMs: number,
];

/** The rows of our own tables. Every function takes part in its caller's transaction. */
export function createBatchRows({ batches, staged, outcomes }: Tables) {
  /** Locks the batch until the transaction ends; undefined if it is unknown. */
  async function lock(run: Run, { name }: NamedBatch): Promise<BatchState | undefined> {
    const [row] = await run<BatchState>(
      `SELECT closed_at IS NOT NULL AS closed, outcome_format AS format FROM ${batches} WHERE batch = $1 FOR UPDATE`,
      [name],
    );
    return row;
  }

  return {
    lock,

    /** Locks the batch until the transaction ends, and inserts it if it is unknown. */
    async open(run: Run, batch: NamedBatch): Promise<BatchState> {
      const known = await lock(run, batch);
      if (known !== undefined) return known;
      const { name, batchId, openedAtMs } = batch;
      // If another worker inserts it at the same time, this waits for that transaction, and that row is the one.
      await run(
        `INSERT INTO ${batches} (batch, batch_id, opened_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
        [name, batchId, new Date(openedAtMs).toISOString()],
      );
      const made = await lock(run, batch);
      if (made === undefined) throw new Error(`the row of ${name} was deleted meanwhile`);
      return made;
    },

    async stage(run: Run, { name }: NamedBatch, records: readonly KeptRecord[]): Promise<void> {
      await run(
        `INSERT INTO ${staged} (batch, record_id, value) SELECT $1, * FROM unnest($2::text[], $3::text[])`,
        [name, records.map(({ recordId }) => textOf(recordId)), records.map(({ value }) => asciiJson(value))],
      );
    },

    /** The staged records of a batch, ordered by id. */
    async staged(run: Run, { name }: NamedBatch): Promise<KeptRecord[]> {
      const rows = await run<{ record_id: string; value: string }>(
        `SELECT record_id, value FROM ${staged} WHERE batch = $1 ORDER BY record_id`,
        [name],
      );
      return rows.map(({ record_id, value }) => ({
        recordId: fromText(record_id),
        value: JSON.parse(value) as JsonValue,
      }));
    },

    async unstage(run: Run, { name }: NamedBatch, record?: KeptRecord): Promise<void> {
      const one = record === undefined ? '' : ' AND record_id = $2';
      await run(`DELETE FROM ${staged} WHERE batch = $1${one}`, [
        name,
        ...(record === undefined ? [] : [textOf(record.recordId)]),
      ]);
    },

    /** Writes the outcomes, and marks the batch as closed. */
    async close(
      run: Run,
      { name }: NamedBatch,
      records: readonly SettledRecord[],
      format: OutcomeFormat,
    ): Promise<void> {
      const rows = records.map(rowOf);
      const column = (index: number): unknown[] => rows.map((row) => row[index]);
      await run(
        `INSERT INTO ${outcomes} (batch, record_id, value, outcome, attempts, error, rollback_error, at, position)
         SELECT $1, record_id, value, outcome, attempts, error, rollback_error, to_timestamp(at_ms / 1000.0), place - 1
         FROM unnest($2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::bigint[])
           WITH ORDINALITY AS r (record_id, value, outcome, attempts, error, rollback_error, at_ms, place)`,
        [name, ...[0, 1, 2, 3, 4, 5, 6].map(column)],
      );
      await run(`UPDATE ${batches} SET closed_at = now(), outcome_format = $2 WHERE batch = $1`, [
        name,
        format,
      ]);
    },

    /** The outcomes of closed batches, each in batch order; by the batch's name. */
    async outcomes(run: Run, names: readonly string[]): Promise<Map<string, OutcomeRow[]>> {
      const found = await run<Record<string, string | number | null>>(
        `SELECT batch, record_id, value, outcome, attempts, error, rollback_error,
           round(extract(epoch FROM at) * 1000)::text AS at_ms
         FROM ${outcomes} WHERE batch = ANY ($1) ORDER BY batch, position`,
        [names],
      );
      const rows = new Map(names.map((name): [string, OutcomeRow[]] => [name, []]));
      for (const { batch, record_id, value, outcome, attempts, error, rollback_error, at_ms } of found) {
        const row = [record_id, value, outcome, attempts, error, rollback_error, Number(at_ms)] as OutcomeRow;
        rows.get(batch as string)?.push(row);
      }
      return rows;
    },

    /** Closed batches after this name, ordered by name. */
    async closedAfter(run: Run, name: string, limit: number): Promise<ClosedRow[]> {
      return run<ClosedRow>(
        `SELECT batch, outcome_format AS format, closed_at > now() - interval '1 minute' AS lately
         FROM ${batches} WHERE closed_at IS NOT NULL AND batch > $1 ORDER BY batch LIMIT $2`,
        [name, limit],
      );
    },
  };
}

export function rowOf({
  recordId,
  value,
  outcome,
  attempts,
  error,
  rollbackError,
  atMs,
}: SettledRecord): OutcomeRow {
  return [
    textOf(recordId),
    asciiJson(value),
    outcome,
    attempts,
    error === undefined ? null : textOf(error),
    rollbackError === undefined ? null : textOf(rollbackError),
    atMs,
  ];
}

/** The record and outcome of a row. */
export function settledOf(row: OutcomeRow): SettledRecord {
  const [recordId, value, outcome, attempts, error, rollbackError, atMs] = row;
  return {
    recordId: fromText(recordId),
    value: JSON.parse(value) as JsonValue,
    outcome: outcome as Outcome,
    attempts,
    ...(error !== null && { error: fromText(error) }),
    ...(rollbackError !== null && { rollbackError: fromText(rollbackError) }),
    atMs,
  };
}
