import { createHash } from 'node:crypto';
import type { KeptRecord } from '../domain/records/record';

/** `{"recordId":…,"value":…}`: the same bytes in every attempt, which makes saving idempotent. */
export function stagedText({ recordId, value }: KeptRecord): string {
  return JSON.stringify({ recordId, value });
}

/** A line of a segment: a record, and the name of its batch's file without extension. */
export interface SegmentLine extends KeptRecord {
  batch: string;
}

export function segmentLine({ batch, recordId, value }: SegmentLine): string {
  return JSON.stringify({ batch, recordId, value });
}

/** The records in a staged file of either kind; incomplete and blanked lines are skipped. */
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
 * 32 hex digits that represent a recordId in a file name. Clients choose requestIds of up to 255 arbitrary characters, so it
 * is the start of their SHA-256; over UTF-16, because in UTF-8 all lone surrogates are the same.
 */
export function fileDigestOf(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 32);
}
