import type { Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import { mapAtOnce } from '../server/at-once';
import { inputIfKnown } from '../server/history';

/** The records in a page: per request, its size and the indexes in the page. */
type PageIndex = Map<string, { size: number; indexes: number[] }>;

/** Pages never change, and clients poll: the last few are cached without their values (some ten KiB each). */
const CACHED_PAGES = 200;
const READS_AT_ONCE = 8;

/** Reads which records a page of a batcher's buffer holds. */
export function createPageReader(client: Client) {
  const cache = new LRUCache<string, PageIndex>({ max: CACHED_PAGES });
  return async function readPageIndex(pageId: string): Promise<PageIndex> {
    const cached = cache.get(pageId);
    if (cached !== undefined) return cached;
    const index: PageIndex = new Map();
    const content = (await inputIfKnown(client, pageId)) as PackedBuffer | undefined;
    for (const [requestId, size, , first, values] of content?.runs ?? []) {
      const known = index.get(requestId) ?? { size, indexes: [] };
      known.indexes.push(...values.map((_, offset) => first + offset));
      index.set(requestId, known);
    }
    cache.set(pageId, index);
    return index;
  };
}

export type PageReader = ReturnType<typeof createPageReader>;

/** Which records of a request are in these pages. */
export async function bufferedInPages(
  readPageIndex: PageReader,
  pageIds: readonly string[],
  requestId: string,
): Promise<{ size: number | null; indexes: number[] }> {
  let size: number | null = null;
  const indexes: number[] = [];
  for (const index of await mapAtOnce(pageIds, READS_AT_ONCE, readPageIndex)) {
    const found = index.get(requestId);
    size ??= found?.size ?? null;
    indexes.push(...(found?.indexes ?? []));
  }
  return { size, indexes };
}
