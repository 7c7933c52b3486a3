import {
  appendPacked,
  appendRequest,
  bufferedOf,
  emptyBuffer,
  flushAll,
  countRequested,
  oldestRecord,
  packBuffer,
  packRecords,
  packedBytesBound,
  removeBeyond,
  portionsWithin,
  type ArrivingRecords,
  type BufferedRecord,
  type PackedBuffer,
  type RecordBuffer,
  type RequestedFlush,
} from './buffer';
import { KIB } from '../duration';
import { totalBytes } from '../records/record';

/*
 * A buffer of any size with a state of bounded size. Its middle is kept outside the state, in pages.
 *
 *   oldest ◄── head ── page ── page ── … ── page ── tail ◄── new records
 *
 * Batches are cut from the head only. When the state has to be carried and is too large, the end of the head and the tail
 * are moved to pages. When the head runs low, the oldest page is appended to it. New records go to the tail while there
 * are pages; otherwise the tail is empty, and they go to the head. So the order of acceptance is kept (G7).
 */

/** A part of the buffer that is kept outside the state. */
export interface PageRef {
  /** Identifies the page; the ids say nothing about the order of pages. */
  pageId: string;
  records: number;
  /** Size of the values as JSON. */
  bytes: number;
  /** Milliseconds since the epoch. */
  oldestAcceptedAtMs: number;
  /** How many of its oldest records leave regardless of their age. */
  flushOldest: number;
}

export interface PagedBuffer {
  head: RecordBuffer;
  /** Oldest first. */
  pages: PageRef[];
  tail: RecordBuffer;
}

/** Bounds of head and tail in carried state, as packed JSON. A single record may be larger. */
export const MAX_CARRIED_HEAD_BYTES = 60 * KIB;
export const MAX_CARRIED_TAIL_BYTES = 32 * KIB;
/** Bound of a page, as packed JSON. */
export const PAGE_BYTES = 256 * KIB;

/** Below both, the next page is appended to the head. Enough for several seconds of batches. */
const LOW_HEAD_RECORDS = 1000;
const LOW_HEAD_BYTES = 48 * KIB;

export function emptyPagedBuffer(): PagedBuffer {
  return { head: emptyBuffer(), pages: [], tail: emptyBuffer() };
}

/** Appends records as the youngest. */
export function appendToEnd(buffer: PagedBuffer, arriving: ArrivingRecords, acceptedAtMs: number): void {
  appendRequest(buffer.pages.length > 0 ? buffer.tail : buffer.head, arriving, acceptedAtMs);
}

/** Marks all buffered records as due, regardless of their age. */
export function flushEverything(buffer: PagedBuffer, requestedFlush: RequestedFlush): void {
  flushAll(buffer.head, requestedFlush);
  flushAll(buffer.tail, requestedFlush);
  for (const page of buffer.pages) page.flushOldest = page.records;
}

/** How many buffered records are due because of {@link flushEverything}. */
export function flushedRecords({ head, pages, tail }: PagedBuffer): number {
  return countRequested(head) + countRequested(tail) + pages.reduce((sum, page) => sum + page.flushOldest, 0);
}

/** Number and size of all buffered records. */
export function sizeOf({ head, pages, tail }: PagedBuffer): { records: number; bytes: number } {
  return {
    records: pages.reduce((sum, { records }) => sum + records, head.bufferedRecords + tail.bufferedRecords),
    bytes: pages.reduce((sum, { bytes }) => sum + bytes, head.bufferedBytes + tail.bufferedBytes),
  };
}

/** When the oldest record was accepted, in milliseconds since the epoch; null if the buffer is empty. */
export function oldestAcceptedAtMs({ head, pages }: PagedBuffer): number | null {
  return oldestRecord(head)?.acceptedAtMs ?? pages[0]?.oldestAcceptedAtMs ?? null;
}

/** Like {@link bufferedOf}, for head and tail. */
export function bufferedOutsidePages(
  { head, tail }: PagedBuffer,
  requestId: string,
): { size: number | null; indexes: number[] } {
  const [first, last] = [bufferedOf(head, requestId), bufferedOf(tail, requestId)];
  return { size: first.size ?? last.size, indexes: [...first.indexes, ...last.indexes] };
}

/** Whether the next page should be appended to the head. */
export function headRunsLow({ head, pages }: PagedBuffer): boolean {
  return pages.length > 0 && head.bufferedRecords < LOW_HEAD_RECORDS && head.bufferedBytes < LOW_HEAD_BYTES;
}

/**
 * Removes the oldest page and appends its content to the head; if it was the last page, appends the tail as well. Throws
 * TypeError if there is no page.
 * @param content null if it was deleted
 */
export function takeInPage(buffer: PagedBuffer, content: PackedBuffer | null): void {
  const page = buffer.pages.shift();
  if (page === undefined) throw new TypeError('there is no page to take in');
  if (content !== null)
    appendPacked(buffer.head, {
      ...content,
      flushOldest: page.flushOldest,
      byHand: buffer.tail.requestedFlush,
    });
  if (buffer.pages.length > 0) return;
  appendPacked(buffer.head, packBuffer(buffer.tail));
  buffer.tail = emptyBuffer();
}

/**
 * Whether head or tail exceed their bounds in carried state.
 * @param lateBytes by how much the tail may exceed its bound; default 0
 */
export function needsSpill({ head, tail }: PagedBuffer, lateBytes = 0): boolean {
  return (
    packedBytesBound(head) > MAX_CARRIED_HEAD_BYTES ||
    packedBytesBound(tail) > MAX_CARRIED_TAIL_BYTES + lateBytes
  );
}

/** A page to create. */
export interface NewPage {
  ref: PageRef;
  content: PackedBuffer;
}

/**
 * Moves records that exceed the bounds of carried state to new pages, and returns them. The caller sets their `pageId`.
 * Their refs are in `buffer.pages` at once, so that records that are accepted meanwhile follow them.
 */
export function spill(buffer: PagedBuffer): NewPage[] {
  const { head, tail } = buffer;
  const headPages = pagesOf(removeBeyond(head, MAX_CARRIED_HEAD_BYTES), head);
  buffer.pages.unshift(...headPages.map(({ ref }) => ref));
  if (packedBytesBound(tail) <= MAX_CARRIED_TAIL_BYTES) return headPages;
  const tailPages = pagesOf(removeBeyond(tail, 0), tail);
  buffer.pages.push(...tailPages.map(({ ref }) => ref));
  return [...headPages, ...tailPages];
}

function pagesOf(records: readonly BufferedRecord[], { flushBeforeSeq }: RecordBuffer): NewPage[] {
  return portionsWithin(records, PAGE_BYTES).map((portion) => {
    const flushOldest = portion.filter(({ seq }) => seq < flushBeforeSeq).length;
    return {
      ref: {
        pageId: '',
        records: portion.length,
        bytes: totalBytes(portion),
        oldestAcceptedAtMs: portion[0]?.acceptedAtMs ?? 0,
        flushOldest,
      },
      content: { runs: packRecords(portion), flushOldest },
    };
  });
}
