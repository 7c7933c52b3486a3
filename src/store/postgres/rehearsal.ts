import { KeepapartError } from '../../domain/errors';
import { canonicalJson } from '../../domain/json';
import type { KeptRecord } from '../../domain/records/record';
import { keyOf, runStatement, type BulkStatement, type NamedBatch } from './bulk-statement';
import type { Run } from './database';
import {
  asksForAnotherTry,
  describePostgresError,
  isCardinalityViolation,
  isRefusal,
} from './postgres-errors';

/**
 * Finds out which of these records the batch's statement can't write, together with the others and those before them. The
 * statement is run completely, including deferred constraints, and undone. Only so a record that can't be written is found
 * while it can still be rolled back alone (G9), instead of when the batch is closed with four valid ones in it.
 * @returns for each record: `record-rejected` (not retried), another error of the server, or undefined; rejects if that
 *   can't be determined
 */
export async function rehearse(
  run: Run,
  statement: BulkStatement,
  batch: NamedBatch,
  others: readonly KeptRecord[],
  records: readonly KeptRecord[],
): Promise<(Error | undefined)[]> {
  // Not left to Postgres, which would log the whole row.
  const lacksKey = (record: KeptRecord) => statement.needsKey && keyOf(statement, record) === undefined;
  const found = await rehearseWithKeys(
    run,
    statement,
    batch,
    others,
    records.filter((record) => !lacksKey(record)),
  );
  return records.map((record) => (lacksKey(record) ? withoutKey(statement) : found.shift()));
}

function withoutKey({ keyPointer }: BulkStatement): Error {
  return new KeepapartError(
    'record-rejected',
    `the record has nothing at POSTGRES_KEY (${keyPointer}), which can't be null (SQLSTATE 23502)`,
  );
}

async function rehearseWithKeys(
  run: Run,
  statement: BulkStatement,
  batch: NamedBatch,
  others: readonly KeptRecord[],
  records: readonly KeptRecord[],
): Promise<(Error | undefined)[]> {
  if (records.length === 0) return [];
  const together = await tryStatement(run, statement, batch, [...others, ...records]);
  if (together === undefined) return records.map(() => undefined);
  const fine = [...others];
  const refusals: (Error | undefined)[] = [];
  for (const record of records) {
    const error =
      records.length === 1 ? together : await tryStatement(run, statement, batch, [...fine, record]);
    if (error === undefined) fine.push(record);
    refusals.push(error && (await refusalOf(run, statement, batch, fine, record, error)));
  }
  return refusals;
}

async function refusalOf(
  run: Run,
  statement: BulkStatement,
  batch: NamedBatch,
  fine: readonly KeptRecord[],
  record: KeptRecord,
  error: Error,
): Promise<Error> {
  if (!isRefusal(error)) return error;
  const message = describePostgresError(error);
  if (!isCardinalityViolation(error)) return new KeepapartError('record-rejected', message, { cause: error });
  const other = await firstThatClashes(fine, async (some) =>
    isCardinalityViolation(await tryStatement(run, statement, batch, [...some, record])),
  );
  return new KeepapartError(
    'record-rejected',
    `${message}: ${record.recordId} meets the same row as ${other?.recordId ?? 'another record'} in batch ` +
      `${batch.batchId}. ${adviceFor(statement, record, other)}`,
    { cause: error },
  );
}

/** A rule can only keep apart values that are equal as JSON. A statement that converts numbers to text merges more rows. */
function adviceFor(statement: BulkStatement, record: KeptRecord, other: KeptRecord | undefined): string {
  const { keyPointer } = statement;
  const rule = JSON.stringify({ distinct: keyPointer });
  const [key, otherKey] = [record, other].map((one) => one && keyOf(statement, one));
  const differ =
    key === undefined || otherKey === undefined || canonicalJson(key) !== canonicalJson(otherKey);
  if (other === undefined || !differ) return `A rule in CONFLICTS keeps them apart: ${rule}`;
  return (
    `Their values at ${JSON.stringify(keyPointer)} differ as JSON, so ${rule} doesn't keep them apart, but ` +
    `POSTGRES_STATEMENT writes both to one row. Send such values in one form, or set POSTGRES_KEY to what distinguishes ` +
    `the rows`
  );
}

/** The error of the statement for these records, if any; its effects are always undone. @throws deadlocks */
export async function tryStatement(
  run: Run,
  statement: BulkStatement,
  batch: NamedBatch,
  records: readonly KeptRecord[],
): Promise<Error | undefined> {
  await run('SAVEPOINT rehearsal');
  let failure: Error | undefined;
  try {
    await runStatement(run, statement, batch, records);
    await run('SET CONSTRAINTS ALL IMMEDIATE');
  } catch (error) {
    failure = error as Error;
  }
  await run('ROLLBACK TO SAVEPOINT rehearsal; RELEASE SAVEPOINT rehearsal');
  if (asksForAnotherTry(failure)) throw failure as Error;
  return failure;
}

/** The others succeed without the record, so there is a shortest prefix of them that fails together with it. */
async function firstThatClashes(
  others: readonly KeptRecord[],
  clashes: (some: readonly KeptRecord[]) => Promise<boolean>,
): Promise<KeptRecord | undefined> {
  let [none, all] = [0, others.length];
  while (none < all) {
    const half = (none + all) >> 1;
    if (await clashes(others.slice(0, half))) all = half;
    else none = half + 1;
  }
  return others[all - 1];
}
