import type { DeadLetter, DeadLetterPage } from '../../contracts/api/answers/dead-letters';
import type { DeadLetterFilter } from '../../contracts/api/filters';
import type { JsonValue } from '../../domain/json';
import { requestIdOf } from '../../domain/records/record';
import { redriveOf } from '../../domain/redrive';
import type { DeadLetterReader, FoundLetter } from './dead-letters';
import type { KnownRedrives } from './known-redrives';

/** One page of dead letters, as clients see it. */
export async function readDeadLetterPage(
  reader: DeadLetterReader,
  known: KnownRedrives,
  { batchId, requestId, redriven, ...options }: DeadLetterFilter,
): Promise<DeadLetterPage> {
  const found =
    batchId === undefined
      ? await reader.page({ ...options, ...(requestId !== undefined && { requestId }) })
      : { letters: await reader.ofBatch(batchId), nextCursor: null };
  const sentAgain = await known.among(found.letters);
  const letters = found.letters.filter(
    ({ recordId, redriveId }) =>
      (requestId === undefined || requestIdOf(recordId) === requestId) &&
      (redriven === 'any' || sentAgain.has(redriveId) === (redriven === 'true')),
  );
  const values = await reader.values(letters);
  return {
    deadLetters: letters.map((letter, i) => viewOf(letter, values[i] as JsonValue, sentAgain)),
    nextCursor: found.nextCursor,
  };
}

function viewOf(letter: FoundLetter, value: JsonValue, sentAgain: ReadonlySet<string>): DeadLetter {
  const { recordId, attempts, error, rollbackError, atMs, batch, file, redriveId } = letter;
  return {
    recordId,
    requestId: requestIdOf(recordId),
    value,
    attempts,
    error: error ?? null,
    rollbackError: rollbackError ?? null,
    at: new Date(atMs).toISOString(),
    batchId: batch.batchId,
    batcher: batch.batcher,
    file,
    redriveOf: redriveOf(requestIdOf(recordId)),
    redrivenAs: sentAgain.has(redriveId) ? redriveId : null,
  };
}
