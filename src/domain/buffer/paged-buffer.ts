import {
  appendPacked,
  appendRequest,
  bufferedOf,
  emptyBuffer,
  flushAll,
  flushedByHand,
  oldestRecord,
  packBuffer,
  packRecords,
  packedBytesBound,
  removeBeyond,
  stretchesOf,
  type ArrivingRecords,
  type BufferedRecord,
  type ByHand,
  type PackedBuffer,
  type RecordBuffer,
} from './buffer';
import { KIB } from '../duration';

/*
 * A buffer of any size in a state of bounded size: its middle lies in pages outside.
 *
 *   oldest ◄── head ── page ── page ── … ── page ── tail ◄── new records
 *
 * Batches are cut from the head alone. When the state has to be carried and is too large, the end of the head and the
 * tail are moved into pages; when the head runs low, the oldest page is appended to it. While there are pages, new
 * records go to the tail; without any, the tail is empty and they go to the head. So the order of acceptance is kept (G7).
 */

/** A stretch of the buffer that lies outside. */
export interface PageRef {
  /** Names the page; not an order. */
  pageId: string;
  records: number;
  /** Of the values as JSON. */
  bytes: number;
  oldestAcceptedAtMs: number;
  /** How many of its oldest records are to go whatever their age. */
  flushOldest: number;
}

export interface PagedBuffer {
  head: RecordBuffer;
  /** Oldest first. */
  pages: PageRef[];
  tail: RecordBuffer;
}

/** What may be carried of each end, in bytes as packed JSON. A single record may be larger. */
export const MAX_CARRIED_HEAD_BYTES = 60 * KIB;
export const MAX_CARRIED_TAIL_BYTES = 32 * KIB;
/** What a page holds, in the same bytes. */
export const PAGE_BYTES = 256 * KIB;

/** Below both, the head is filled up with the next page: enough for the batches of some seconds. */
const LOW_HEAD_RECORDS = 1000;
const LOW_HEAD_BYTES = 48 * KIB;

export function emptyPagedBuffer(): PagedBuffer {
  return { head: emptyBuffer(), pages: [], tail: emptyBuffer() };
}

/** Appends records behind everything. */
export function appendToEnd(buffer: PagedBuffer, arriving: ArrivingRecords, acceptedAtMs: number): void {
  appendRequest(buffer.pages.length > 0 ? buffer.tail : buffer.head, arriving, acceptedAtMs);
}

/** Marks all that is buffered now as due, whatever its age. */
export function flushEverything(buffer: PagedBuffer, byHand: ByHand): void {
  flushAll(buffer.head, byHand);
  flushAll(buffer.tail, byHand);
  for (const page of buffer.pages) page.flushOldest = page.records;
}

/** How many records are to go whatever their age. */
export function flushedRecords({ head, pages, tail }: PagedBuffer): number {
  return flushedByHand(head) + flushedByHand(tail) + pages.reduce((sum, page) => sum + page.flushOldest, 0);
}

/** Records and bytes of the whole buffer. */
export function sizeOf({ head, pages, tail }: PagedBuffer): { records: number; bytes: number } {
  return {
    records: pages.reduce((sum, { records }) => sum + records, head.bufferedRecords + tail.bufferedRecords),
    bytes: pages.reduce((sum, { bytes }) => sum + bytes, head.bufferedBytes + tail.bufferedBytes),
  };
}

/** When the oldest record was accepted; null when there is none. */
export function oldestAcceptedAtMs({ head, pages }: PagedBuffer): number | null {
  return oldestRecord(head)?.acceptedAtMs ?? pages[0]?.oldestAcceptedAtMs ?? null;
}

/** Like {@link bufferedOf}, over the records that don't lie in pages. */
export function bufferedOutsidePages(
  { head, tail }: PagedBuffer,
  requestId: string,
): { size: number | null; indexes: number[] } {
  const [first, last] = [bufferedOf(head, requestId), bufferedOf(tail, requestId)];
  return { size: first.size ?? last.size, indexes: [...first.indexes, ...last.indexes] };
}

/** Whether the next page is to be appended to the head. */
export function headRunsLow({ head, pages }: PagedBuffer): boolean {
  return pages.length > 0 && head.bufferedRecords < LOW_HEAD_RECORDS && head.bufferedBytes < LOW_HEAD_BYTES;
}

/**
 * Puts the content of the oldest page behind the head, and the tail behind it when it was the last one. A page whose
 * content is gone leaves nothing.
 */
export function takeInPage(buffer: PagedBuffer, content: PackedBuffer | null): void {
  const page = buffer.pages.shift();
  if (page === undefined) throw new TypeError('there is no page to take in');
  if (content !== null)
    appendPacked(buffer.head, { ...content, flushOldest: page.flushOldest, byHand: buffer.tail.byHand });
  if (buffer.pages.length > 0) return;
  appendPacked(buffer.head, packBuffer(buffer.tail));
  buffer.tail = emptyBuffer();
}

/** Whether the buffer is more than may be carried, also where the tail may have so many bytes more than its bound. */
export function needsSpill({ head, tail }: PagedBuffer, lateBytes = 0): boolean {
  return (
    packedBytesBound(head) > MAX_CARRIED_HEAD_BYTES ||
    packedBytesBound(tail) > MAX_CARRIED_TAIL_BYTES + lateBytes
  );
}

/** A page that is to be made. */
export interface NewPage {
  ref: PageRef;
  content: PackedBuffer;
}

/**
 * Moves into pages what is more than may be carried. The refs are in their places at once, so that what is accepted
 * while the pages are made comes behind them; `pageId` is for the caller to give.
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
  return stretchesOf(records, PAGE_BYTES).map((stretch) => {
    const flushOldest = stretch.filter(({ seq }) => seq < flushBeforeSeq).length;
    return {
      ref: {
        pageId: '',
        records: stretch.length,
        bytes: stretch.reduce((sum, { bytes }) => sum + bytes, 0),
        oldestAcceptedAtMs: stretch[0]?.acceptedAtMs ?? 0,
        flushOldest,
      },
      content: { runs: packRecords(stretch), flushOldest },
    };
  });
}
