import { createHash } from 'node:crypto';
import type { KeptRecord } from '../domain/records/record';

/** `{"recordId":…,"value":…}`: the same bytes in every attempt, which is what makes saving idempotent. */
export function stagedText({ recordId, value }: KeptRecord): string {
  return JSON.stringify({ recordId, value });
}

/** A line of a segment: a record, and the name of its batch's file without its ending. */
export interface SegmentLine extends KeptRecord {
  batch: string;
}

export function segmentLine({ batch, recordId, value }: SegmentLine): string {
  return JSON.stringify({ batch, recordId, value });
}

/** What stands in a staged file of either kind, line by line; what is torn or blanked is left out. */
export function stagedLines<T extends KeptRecord>(content: string): T[] {
  return content.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as T];
    } catch {
      return [];
    }
  });
}

/**
 * 32 hex digits that stand for a recordId in the name of a file. Clients choose requestIds, with any characters and up
 * to 255 of them, so it is the start of their SHA-256; over UTF-16, because in UTF-8 all lone surrogates are the same.
 */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 32);
}
