import type { AcceptedRequest } from '../../contracts/workflow/batcher';
import type { RecordStream } from '../../contracts/batcher-client';
import { KIB } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { canonicalJson, jsonBytes, type JsonValue } from '../../domain/json';
import type { KeyRef } from '../../domain/windows/key-window';
import { keyOf } from '../../domain/scope';
import type { StreamProgress } from '../../domain/windows/stream-window';
import { UNSEEN_SHARE, type AdmissionLimits, type Load } from './admission';
import { sha256, shortDigest } from './digests';

/** Largest part of a stream. Parts are sent one after another, so each must be worth a signal. */
const LARGEST_PART: Load = { records: 1000, bytes: 64 * KIB };
/** How long records of a slow stream wait for more of them. */
const PART_WAIT_MS = 200;

/** What a stream needs of its shard. */
export interface StreamChannel {
  /** Makes a part durable; waits for room in the buffer. With a key, returns how far the stream has been taken then. */
  send(request: AcceptedRequest, load: Load): Promise<StreamProgress | null>;
  /** How far the batcher has taken the stream under a key. */
  progress(): Promise<StreamProgress | null>;
}

/**
 * Bounds of one part for a buffer with these limits. A part is taken whole or not at all, so it must fit into the buffer;
 * at this share of the buffer it also fits while other records are still in it. A single record that is larger is a part
 * by itself.
 */
export function partBounds({ maxBufferedRecords, maxBufferedBytes }: AdmissionLimits): Load {
  return {
    records: Math.max(1, Math.min(LARGEST_PART.records, Math.floor(maxBufferedRecords * UNSEEN_SHARE))),
    bytes: Math.min(LARGEST_PART.bytes, Math.floor(maxBufferedBytes * UNSEEN_SHARE)),
  };
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
 * compared and left out (G5). Where the batcher remembers no more than the digest, what was taken ends where the digest
 * of what is read is the same.
 * @param bounds of one part, see {@link partBounds}
 * @param key by what the batcher knows the Idempotency-Key; undefined without one
 * @throws what `progress` throws
 */
export async function openRecordStream(
  channel: StreamChannel,
  bounds: Load,
  requestId: string,
  key: KeyRef | undefined,
): Promise<RecordStream> {
  const before = key === undefined ? null : await channel.progress();
  /** Undefined until it is found. */
  let taken = before === null ? 0 : (before.taken ?? undefined);
  const hash = sha256();
  let seen = 0;
  /** Digest of the records before the part that is being gathered. */
  let digest = '';
  let part: Part = { offset: taken ?? 0, values: [], bytes: 0 };
  let timer: NodeJS.Timeout | undefined;
  let sending = Promise.resolve();
  let onTheirWay = 0;
  let failure: { error: unknown } | undefined;
  /** Without a key, what has been sent; with one, what the batcher has taken. */
  let durable = taken ?? 0;
  let reached = before;
  /** How many of its records are known to be the ones that were taken under the key. */
  let compared = 0;
  /** Whether the key turned out to be that of other records. */
  let isOther = false;

  function refuse(): KeepapartError {
    isOther = true;
    return reused(requestId);
  }

  function sendPart(complete: boolean): void {
    clearTimeout(timer);
    timer = undefined;
    const { offset, values, bytes } = part;
    const after = shortDigest(hash);
    const request: AcceptedRequest = {
      requestId,
      values,
      offset,
      ...(key !== undefined && { part: { ...key, before: digest, after, complete } }),
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
    if (progress === null) throw overtaken(requestId);
    if (progress.digest === digest) compared = end;
    else {
      if (progress.taken === null || progress.taken < end) throw overtaken(requestId);
      if (progress.taken === end) throw refuse();
    }
    durable = end;
  }

  /** At the end of what was taken before, as far as it is known where that is: it has to be the same. */
  function compare(): void {
    digest = shortDigest(hash);
    if (digest === before?.digest) {
      taken = seen;
      durable = seen;
      compared = seen;
      part.offset = seen;
    } else if (taken !== undefined) throw refuse();
  }

  return {
    async write(value) {
      if (failure !== undefined) throw failure.error;
      if (taken !== undefined && seen >= taken && before?.complete === true) throw refuse();
      const bytes = jsonBytes(value);
      const isFull = part.values.length === bounds.records || part.bytes + bytes > bounds.bytes;
      if (part.values.length > 0 && isFull) {
        if (onTheirWay > 0) await sent();
        if (part.values.length > 0) sendPart(false);
      }
      hash.update(canonicalJson(value)).update('\n');
      seen++;
      if (taken !== undefined && seen < taken) return;
      if (taken === undefined || seen === taken) {
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
      if (taken === undefined || seen < taken) throw refuse();
      const isKnown = before?.complete === true;
      if (!isKnown && (key !== undefined || part.values.length > 0)) sendPart(true);
      await sent();
      if (key !== undefined && !isKnown) {
        const isSame = reached?.digest === digest;
        if (reached?.complete !== true || (!isSame && reached.taken !== seen)) throw overtaken(requestId);
        if (!isSame) throw refuse();
      }
      durable = seen;
      return seen;
    },

    async durable() {
      // Whatever ended the stream, the records before that were good.
      if (failure === undefined && !isOther && part.values.length > 0) sendPart(false);
      clearTimeout(timer);
      await sending;
      // What is durable under the key is not of this stream.
      if (isOther) return compared;
      if (key !== undefined) {
        const progress = await channel.progress().catch(() => null);
        durable = Math.max(durable, Math.min(progress?.taken ?? 0, seen));
      }
      return durable;
    },

    soFar: () => durable,
  };
}

/** @param taken what of it was taken */
export function reused(requestId: string, taken = 'nothing more was taken'): KeepapartError {
  return new KeepapartError(
    'idempotency-key-reused',
    `The key ${keyOf(requestId)} was used for other records before; ${taken}`,
  );
}

function overtaken(requestId: string): KeepapartError {
  return new KeepapartError(
    'stream-overtaken',
    `Not all of stream ${requestId} was taken, as it came on another connection at the same time; send the same again ` +
      'under the same key',
    { retryAfterMs: 1000 },
  );
}
