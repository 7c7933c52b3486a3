import type { Client } from '@temporalio/client';
import { isBatcherOf } from '../../contracts/workflow/ids';
import { storedIdsOf } from '../codec/data-converter';
import { MORE_REQUEST_IDS, SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { MINUTE } from '../../domain/duration';
import { portions } from '../../domain/portions';
import { batchesIn } from '../children/batch-facts';
import { HOLDS_BATCHES, literal } from '../children/batch-queries';
import { mapAtOnce } from '../server/at-once';
import { callTemporal } from '../server/calls';
import type { Shards } from '../shard/shards';
import { bufferedInPages, type PageReader } from '../views/page-reader';
import type { FoundLetter } from './dead-letters';

/** Per question to a batcher, and per visibility query. */
const KEYS_AT_ONCE = 1000;
const IDS_AT_ONCE = 50;
const QUESTIONS_AT_ONCE = 100;

/** Maximum clock difference between Temporal's servers. */
const CLOCK_SKEW_MS = 1 * MINUTE;

/**
 * Which dead letters were redriven. There are two sources: the key windows of the batchers know recent redrives, whether
 * or not they are in a batch; visibility knows the batches, for as long as they are retained.
 */
export function createKnownRedrives(client: Client, shards: Shards, pages: PageReader) {
  /** Those that a batcher remembers. Every shard is asked, because a redrive may be older than the number of shards. */
  async function remembered(requestIds: readonly string[]): Promise<string[]> {
    const asked = (await shards.all()).flatMap((shard) =>
      portions(requestIds, { items: KEYS_AT_ONCE }).map((ids) => ({ shard, ids })),
    );
    const answers = await mapAtOnce(asked, QUESTIONS_AT_ONCE, ({ shard, ids }) => shard.known(ids));
    return answers.flat();
  }

  /** Those in a batch that visibility lists. */
  async function inBatches(requestIds: readonly string[], sinceMs: number): Promise<string[]> {
    const name = SEARCH_ATTRIBUTES.requestIds.name;
    // Batches with more requests than their attribute can hold, but only those that started after the first dead letter.
    const since = new Date(sinceMs - CLOCK_SKEW_MS).toISOString();
    const stored = requestIds.flatMap((requestId) => storedIdsOf(client, requestId));
    const conditions = [
      ...portions(stored, { items: IDS_AT_ONCE }).map((ids) => `${name} IN (${ids.map(literal).join(', ')})`),
      `${name} IN (${literal(MORE_REQUEST_IDS)}) AND StartTime >= ${literal(since)}`,
    ];
    const held = new Set<string>();
    for (const condition of conditions) {
      const query = `${HOLDS_BATCHES} AND ${condition}`;
      await callTemporal(client, 'could not list batches of redrives', async () => {
        for await (const info of client.workflow.list({ query, pageSize: 500 })) {
          for (const { summary, requestSizes } of batchesIn(info)) {
            if (!isBatcherOf(shards.address.batcherId, summary.batcher)) continue;
            for (const requestId of requestSizes.keys()) held.add(requestId);
          }
        }
      });
    }
    return requestIds.filter((requestId) => held.has(requestId));
  }

  return {
    /** The redrive ids of the letters that were redriven, as far as batchers remember and visibility lists. */
    async among(letters: readonly FoundLetter[]): Promise<Set<string>> {
      if (letters.length === 0) return new Set();
      const requestIds = letters.map(({ redriveId }) => redriveId);
      // The batchers first: what leaves a window afterwards has long been listed.
      const known = new Set(await remembered(requestIds));
      const rest = requestIds.filter((requestId) => !known.has(requestId));
      if (rest.length === 0) return known;
      const sinceMs = Math.min(...letters.map(({ atMs }) => atMs));
      for (const requestId of await inBatches(rest, sinceMs)) known.add(requestId);
      return known;
    },

    /**
     * Which of these redrives wait in a buffer. If one has waited for long, a window may have forgotten it, and no batch
     * has it yet. Each is asked for separately, so call this only for those that neither source knows.
     */
    async buffered(redriveIds: readonly string[]): Promise<Set<string>> {
      if (redriveIds.length === 0) return new Set();
      const statuses = await Promise.all((await shards.all()).map((shard) => shard.status()));
      if (statuses.every(({ bufferedRecords }) => bufferedRecords === 0)) return new Set();
      const waiting = await mapAtOnce(redriveIds, QUESTIONS_AT_ONCE, async (requestId) => {
        const trace = await shards.trace(requestId);
        if (trace.size !== null || trace.inFlightChildIds.length > 0) return [requestId];
        const { size } = await bufferedInPages(pages, trace.pageIds, requestId);
        return size === null ? [] : [requestId];
      });
      return new Set(waiting.flat());
    },
  };
}

export type KnownRedrives = ReturnType<typeof createKnownRedrives>;
