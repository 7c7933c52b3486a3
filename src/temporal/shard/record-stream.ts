import { createHash, type Hash } from 'node:crypto';
import type { AcceptedRequest } from '../../contracts/batcher';
import type { RecordStream } from '../../contracts/batcher-client';
import { KIB } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { canonicalJson, jsonBytes, type JsonValue } from '../../domain/json';
import { STREAM_DIGEST_LENGTH, type StreamProgress } from '../../domain/stream-window';
import type { Load } from './admission';

/** Most of one part. Parts of a stream go one after another, so they must be worth a signal each. */
const PART_RECORDS = 1000;
const PART_BYTES = 64 * KIB;
/** How long records of a slow stream wait for more of them. */
const PART_WAIT_MS = 200;

/** What a stream needs of its shard. */
export interface StreamChannel {
  /** Makes a part durable; waits for room in the buffer. With a key, returns how far the stream has been taken then. */
  send(request: AcceptedRequest, load: Load): Promise<StreamProgress | null>;
  /** How far the batcher has taken the stream under a key. */
  progress(): Promise<StreamProgress | null>;
}

interface Part {
  offset: number;
  values: JsonValue[];
  bytes: number;
}

/**
 * Sends the records of a stream in parts: while one is on its way the next is gathered, and then writing has to wait.
 *
 * With a key, the batcher takes a part only where the one before it ended, and remembers how far it has come and the
 * digest of all records up to there. So the same stream can be sent again after it broke: what was taken is read,
 * compared and left out (G5).
 * @param key digest of the Idempotency-Key; undefined without one
 * @throws what `progress` throws
 */
export async function openRecordStream(
  channel: StreamChannel,
  requestId: string,
  key: string | undefined,
): Promise<RecordStream> {
  const before = key === undefined ? null : await channel.progress();
  const taken = before?.taken ?? 0;
  const hash = createHash('sha256');
  let seen = 0;
  /** Digest of the records before the part that is being gathered. */
  let digest = '';
  let part: Part = { offset: taken, values: [], bytes: 0 };
  let timer: NodeJS.Timeout | undefined;
  let sending = Promise.resolve();
  let onTheirWay = 0;
  let failure: { error: unknown } | undefined;
  /** Without a key, what has been sent; with one, what the batcher has taken. */
  let durable = taken;
  let reached = before;

  function sendPart(complete: boolean): void {
    clearTimeout(timer);
    timer = undefined;
    const { offset, values, bytes } = part;
    const after = digestNow(hash);
    const request: AcceptedRequest = {
      requestId,
      values,
      offset,
      ...(key !== undefined && { part: { key, before: digest, after, complete } }),
    };
    digest = after;
    part = { offset: seen, values: [], bytes: 0 };
    onTheirWay++;
    sending = sending
      .then(async () => {
        if (failure !== undefined) return;
        const progress = await channel.send(request, { records: values.length, bytes });
        if (key === undefined) durable = offset + values.length;
        else expectTaken(progress, offset + values.length, after);
      })
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => onTheirWay--);
  }

  async function sent(): Promise<void> {
    await sending;
    if (failure !== undefined) throw failure.error;
  }

  /** With a key, a part is taken only behind the one before it. */
  function expectTaken(progress: StreamProgress | null, end: number, digest: string): void {
    reached = progress;
    if (progress === null || progress.taken < end) throw overtaken(requestId);
    if (progress.taken === end && progress.digest !== digest) throw reused(requestId);
    durable = end;
  }

  /** The end of what was taken before: it has to be the same. */
  function compare(): void {
    digest = digestNow(hash);
    if (digest !== before?.digest) throw reused(requestId);
  }

  return {
    async write(value) {
      if (failure !== undefined) throw failure.error;
      if (seen >= taken && before?.complete === true) throw reused(requestId);
      const bytes = jsonBytes(value);
      const isFull = part.values.length === PART_RECORDS || part.bytes + bytes > PART_BYTES;
      if (part.values.length > 0 && isFull) {
        if (onTheirWay > 0) await sent();
        if (part.values.length > 0) sendPart(false);
      }
      hash.update(canonicalJson(value)).update('\n');
      seen++;
      if (seen < taken) return;
      if (seen === taken) {
        compare();
        return;
      }
      part.values.push(value);
      part.bytes += bytes;
      timer ??= setTimeout(() => {
        if (part.values.length > 0) sendPart(false);
      }, PART_WAIT_MS).unref();
    },

    async end() {
      if (seen < taken) throw reused(requestId);
      const isKnown = before?.complete === true;
      if (!isKnown && (key !== undefined || part.values.length > 0)) sendPart(true);
      await sent();
      if (key !== undefined && !isKnown) {
        if (reached?.taken !== seen || !reached.complete) throw overtaken(requestId);
        if (reached.digest !== digest) throw reused(requestId);
      }
      durable = seen;
      return seen;
    },

    async durable() {
      // Whatever ended the stream, the records before that were good.
      if (failure === undefined && part.values.length > 0) sendPart(false);
      clearTimeout(timer);
      await sending;
      if (key !== undefined) {
        const progress = await channel.progress().catch(() => null);
        durable = Math.max(durable, Math.min(progress?.taken ?? 0, seen));
      }
      return durable;
    },

    soFar: () => durable,
  };
}

function digestNow(hash: Hash): string {
  return hash.copy().digest('base64url').slice(0, STREAM_DIGEST_LENGTH);
}

function reused(requestId: string): KeepapartError {
  return new KeepapartError(
    'idempotency-key-reused',
    `The key ${requestId} was used for other records before; nothing more was taken`,
  );
}

function overtaken(requestId: string): KeepapartError {
  return new KeepapartError(
    'stream-overtaken',
    `Not all of stream ${requestId} was taken, as it came on another connection at the same time, or the batcher ` +
      'follows as many streams as it can; send the same again under the same key',
    { retryAfterMs: 1000 },
  );
}
