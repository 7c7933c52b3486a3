import { createHash } from 'node:crypto';
import { KeepapartError } from '../../domain/errors';

/** Where a listing of batches continues. */
export interface Cursor {
  /** Temporal's token for the next page of workflows; null if there is none, absent for the first page. */
  token?: Uint8Array | null;
  /** List first what follows this batch in the run that it shares with other batches. */
  after?: { batchId: string; runId: string };
}

/**
 * A prefix, because the server's errors for a token that it didn't issue look like an outage. So a cursor that isn't ours
 * must not reach it.
 */
const MARK = 'keepapart-3:';
const MARK_WITHIN_RUN = 'keepapart-4:';
/** The prefix is followed by a checksum of the rest, so that a truncated cursor isn't accepted either. */
const SUM_BYTES = 6;

export function writeCursor({ token, after }: Cursor): string {
  if (after === undefined) return encode(MARK, token ?? new Uint8Array());
  const base64 = token == null ? token : Buffer.from(token).toString('base64');
  return encode(MARK_WITHIN_RUN, Buffer.from(JSON.stringify({ ...after, token: base64 })));
}

/** @throws `not-found` if {@link writeCursor} didn't write it */
export function readCursor(text: string): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  const mark = bytes.subarray(0, MARK.length).toString();
  const sum = bytes.subarray(MARK.length, MARK.length + SUM_BYTES);
  const content = bytes.subarray(MARK.length + SUM_BYTES);
  const whole = sum.equals(sumOf(content));
  const cursor =
    mark === MARK ? { token: content } : mark === MARK_WITHIN_RUN ? withinRun(content) : undefined;
  if (whole && cursor !== undefined) return cursor;
  throw new KeepapartError('not-found', 'No such page: this service did not issue the cursor');
}

function withinRun(content: Buffer): Cursor | undefined {
  try {
    const { token, batchId, runId } = JSON.parse(content.toString()) as Partial<Record<string, unknown>>;
    if (typeof batchId !== 'string' || typeof runId !== 'string' || !RUN_ID.test(runId)) return undefined;
    const after = { batchId, runId };
    if (token === undefined) return { after };
    return { after, token: typeof token === 'string' ? Buffer.from(token, 'base64') : null };
  } catch {
    return undefined;
  }
}

const RUN_ID = /^[0-9a-f-]{36}$/;

function encode(mark: string, content: Uint8Array): string {
  return Buffer.concat([Buffer.from(mark), sumOf(content), content]).toString('base64url');
}

function sumOf(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, SUM_BYTES);
}
