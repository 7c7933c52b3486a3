import type { Client } from '@temporalio/client';
import { isBatcherOf } from '../../contracts/workflow/ids';
import { MORE_REQUEST_IDS, SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { MINUTE } from '../../domain/duration';
import { batchesIn } from '../children/batch-facts';
import { HOLDS_BATCHES, literal } from '../children/batch-queries';
import { groupsOf, mapAtOnce } from '../server/at-once';
import { callTemporal } from '../server/calls';
import type { Shards } from '../shard/shards';
import { bufferedInPages, type PageReader } from '../views/page-reader';
import type { FoundLetter } from './dead-letters';

/** In one question to a batcher, and to visibility. */
const KEYS_AT_ONCE = 1000;
const IDS_AT_ONCE = 50;
const QUESTIONS_AT_ONCE = 100;

/** How far the clocks of Temporal's servers may be apart. */
const CLOCK_SKEW_MS = 1 * MINUTE;

/**
 * Tells which dead letters were sent again. Two places know, each what the other may not: the batchers' windows of keys
 * what was sent of late, whether or not it is in a batch; visibility the batches, for as long as they are retained.
 */
export function createKnownRedrives(client: Client, shards: Shards, pages: PageReader) {
  /** Those that a batcher remembers. Every shard is asked: a redrive may be older than the number of shards. */
  async function remembered(requestIds: readonly string[]): Promise<string[]> {
    const asked = (await shards.all()).flatMap((shard) =>
      groupsOf(requestIds, KEYS_AT_ONCE).map((ids) => ({ shard, ids })),
    );
    const answers = await mapAtOnce(asked, QUESTIONS_AT_ONCE, ({ shard, ids }) => shard.known(ids));
    return answers.flat();
  }

  /** Those that are in a batch that visibility lists. */
  async function inBatches(requestIds: readonly string[], sinceMs: number): Promise<string[]> {
    const name = SEARCH_ATTRIBUTES.requestIds.name;
    // Batches whose attribute has no room for all their requests: only such as began when there was one to redrive.
    const since = new Date(sinceMs - CLOCK_SKEW_MS).toISOString();
    const conditions = [
      ...groupsOf(requestIds, IDS_AT_ONCE).map((ids) => `${name} IN (${ids.map(literal).join(', ')})`),
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
    /** The redrive ids of those that were sent again, as far as batchers remember and visibility lists. */
    async among(letters: readonly FoundLetter[]): Promise<Set<string>> {
      if (letters.length === 0) return new Set();
      const requestIds = letters.map(({ redriveId }) => redriveId);
      // The batchers first: what leaves a window after this has long been listed.
      const known = new Set(await remembered(requestIds));
      const rest = requestIds.filter((requestId) => !known.has(requestId));
      if (rest.length === 0) return known;
      const sinceMs = Math.min(...letters.map(({ atMs }) => atMs));
      for (const requestId of await inBatches(rest, sinceMs)) known.add(requestId);
      return known;
    },

    /**
     * Those of these redrives that wait in a buffer. A window may have forgotten one that waits there for long, and no
     * batch has it: asked one by one, for what neither place knows.
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
