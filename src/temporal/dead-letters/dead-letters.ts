import { setTimeout as sleep } from 'node:timers/promises';
import { isKnowableRequestId } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import type { BatchSummary } from '../../contracts/api/answers/batches';
import { SECOND } from '../../domain/duration';
import { portions } from '../../domain/portions';
import type { JsonValue } from '../../domain/json';
import { OUTCOME, type RecordOutcome } from '../../domain/records/outcome';
import { requestIdOf } from '../../domain/records/record';
import { redriveIdOf } from '../../domain/redrive';
import { mapAtOnce } from '../server/at-once';
import { ifKnown } from '../server/calls';
import type { ListBatches } from '../children/batch-pages';
import { literal } from '../children/batch-queries';
import type { BatchReader } from '../children/batch-reader';

/** A dead letter from its batch's result, without its value, which is in the batch's input. */
export interface FoundLetter extends RecordOutcome {
  batch: BatchSummary;
  file: string;
  /** The request that redrives it, whether or not that has happened. */
  redriveId: string;
}

/** Visibility lags slightly: a batch that has just closed may not be listed as closed. */
const VISIBILITY_LAG_MS = 3 * SECOND;
const LOOK_AGAIN_MS = 100;

const BATCHES_PER_PAGE = 100;
const READS_AT_ONCE = 16;
/** Ids in one visibility query. */
const IDS_AT_ONCE = 50;

const HAS_DEAD_LETTERS = [`${SEARCH_ATTRIBUTES.rolledBack.name} > 0`];

/** Selects, in a child with several batches, those that have dead letters. */
const hasDeadLetters = ({ state, rolledBack }: BatchSummary) =>
  state === 'completed' && (rolledBack ?? 0) > 0;

/**
 * Finds rolled-back records in Temporal, their only source besides the batch files: it lists the batches and reads their
 * results. What Temporal has deleted is no longer a dead letter.
 */
export function createDeadLetterReader(
  list: ListBatches,
  isOwn: (batcher: string) => boolean,
  batches: BatchReader,
) {
  async function inBatch(batch: BatchSummary): Promise<FoundLetter[]> {
    const result = await ifKnown(batches.result(batch));
    // Around the end of its retention period, a batch may be listed although its history is gone.
    if (result === undefined) return [];
    const { location, outcomes } = result;
    return outcomes
      .filter(({ outcome }) => outcome === OUTCOME.rolledBack)
      .map((outcome) => ({ ...outcome, batch, file: location, redriveId: redriveIdOf(outcome.recordId) }));
  }

  const inBatches = async (summaries: readonly BatchSummary[]) =>
    (await mapAtOnce(summaries, READS_AT_ONCE, inBatch)).flat();

  /** @param options `closed`: only batches whose workflow closed in this range, its end excluded */
  async function page(options: {
    limit: number;
    cursor?: string;
    requestId?: string;
    closed?: [fromMs: number, beforeMs: number];
  }) {
    const { requestId, closed } = options;
    if (requestId !== undefined && !isKnowableRequestId(requestId)) return { letters: [], nextCursor: null };
    const [from, before] = closed?.map((ms) => literal(new Date(ms).toISOString())) ?? [];
    const conditions = [
      ...(from === undefined || before === undefined
        ? []
        : [`CloseTime >= ${from} AND CloseTime < ${before}`]),
    ];
    const listed = await list([...HAS_DEAD_LETTERS, ...conditions], {
      ...options,
      ...(requestId !== undefined && { ofRequests: [requestId] }),
      keep: hasDeadLetters,
    });
    const letters = await inBatches(listed.batches);
    return {
      letters: letters.filter(
        ({ recordId }) => requestId === undefined || requestIdOf(recordId) === requestId,
      ),
      nextCursor: listed.nextCursor,
    };
  }

  /** All pages; records that are rolled back meanwhile may be in none. */
  async function* pages(requestId?: string): AsyncGenerator<FoundLetter[]> {
    let cursor: string | null = null;
    do {
      const { letters, nextCursor } = await page({
        limit: BATCHES_PER_PAGE,
        ...(cursor !== null && { cursor }),
        ...(requestId !== undefined && { requestId }),
      });
      yield letters;
      cursor = nextCursor;
    } while (cursor !== null);
  }

  /** None if the batch is unknown here or hasn't completed. */
  async function ofBatch(batchId: string): Promise<FoundLetter[]> {
    const facts = await batches.facts(batchId);
    if (facts?.summary.state !== 'completed' || !isOwn(facts.summary.batcher)) return [];
    return inBatch(facts.summary);
  }

  /** Which of the named records are dead letters. */
  async function named(recordIds: readonly string[]): Promise<FoundLetter[]> {
    const found = new Map<string, FoundLetter>();
    const knowable = recordIds.filter((recordId) => isKnowableRequestId(requestIdOf(recordId)));
    const deadline = Date.now() + VISIBILITY_LAG_MS;
    for (;;) {
      const missing = knowable.filter((recordId) => !found.has(recordId));
      const requestIds = [...new Set(missing.map(requestIdOf))];
      for (const together of portions(requestIds, { items: IDS_AT_ONCE })) {
        let cursor: string | null = null;
        do {
          const options = {
            limit: BATCHES_PER_PAGE,
            ofRequests: together,
            keep: hasDeadLetters,
            ...(cursor !== null && { cursor }),
          };
          const listed = await list(HAS_DEAD_LETTERS, options);
          for (const letter of await inBatches(listed.batches)) found.set(letter.recordId, letter);
          cursor = listed.nextCursor;
        } while (cursor !== null);
      }
      const letters = knowable.flatMap((recordId) => found.get(recordId) ?? []);
      if (letters.length === knowable.length || Date.now() >= deadline) return letters;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** The values of dead letters, in the same order; each batch is read once. */
  async function values(letters: readonly FoundLetter[]): Promise<JsonValue[]> {
    const of = new Map(letters.map(({ batch }) => [`${batch.runId}/${batch.batchId}`, batch]));
    const inputs = await mapAtOnce([...of.values()], READS_AT_ONCE, (batch) => batches.input(batch));
    const known = new Map(
      inputs.flatMap(({ batch }) => batch.records).map((record) => [record.recordId, record]),
    );
    return letters.map(({ recordId }) => {
      const record = known.get(recordId);
      if (record === undefined) throw new TypeError(`the batch of ${recordId} has no such record`);
      return record.value;
    });
  }

  return { page, pages, ofBatch, named, values };
}

export type DeadLetterReader = ReturnType<typeof createDeadLetterReader>;
