import { createHash } from 'node:crypto';
import { KeepapartError } from '../../domain/errors';

/** Where a listing of batches goes on. */
export interface Cursor {
  /** Temporal's token for the next page of workflows; null when there is none, absent for the first. */
  token?: Uint8Array | null;
  /** First, what is behind this batch in the run that it shares with others. */
  after?: { batchId: string; runId: string };
}

/**
 * With a mark in front: the server fails on a token that it didn't make in ways that can't be told from its own trouble,
 * so what isn't ours must not reach it.
 */
const MARK = 'keepapart-3:';
const MARK_WITHIN_RUN = 'keepapart-4:';
/** And with a sum over the rest behind the mark, so that half a cursor isn't ours either. */
const SUM_BYTES = 6;

export function writeCursor({ token, after }: Cursor): string {
  if (after === undefined) return encode(MARK, token ?? new Uint8Array());
  const base64 = token == null ? token : Buffer.from(token).toString('base64');
  return encode(MARK_WITHIN_RUN, Buffer.from(JSON.stringify({ ...after, token: base64 })));
}

/** @throws `not-found` for what {@link writeCursor} didn't write */
export function readCursor(text: string): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  const mark = bytes.subarray(0, MARK.length).toString();
  const sum = bytes.subarray(MARK.length, MARK.length + SUM_BYTES);
  const content = bytes.subarray(MARK.length + SUM_BYTES);
  const whole = sum.equals(sumOf(content));
  const cursor =
    mark === MARK ? { token: content } : mark === MARK_WITHIN_RUN ? withinRun(content) : undefined;
  if (whole && cursor !== undefined) return cursor;
  throw new KeepapartError('not-found', 'No such page: the cursor is not one that this service gave out');
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
