import type { AcceptedRequest } from '../../contracts/workflow/batcher';
import type { RecordStream } from '../../contracts/batcher-client';
import { KIB } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { canonicalJson, jsonBytes, type JsonValue } from '../../domain/json';
import type { KeyRef } from '../../domain/windows/key-window';
import { idempotencyKeyOf } from '../../domain/scope';
import type { StreamProgress } from '../../domain/windows/stream-window';
import { UNSEEN_SHARE, type AdmissionLimits, type Load } from './admission';
import { sha256, shortDigest } from './digests';

/** Maximum size of a part. Parts are sent one after another, so each must be worth a signal. */
const LARGEST_PART: Load = { records: 1000, bytes: 64 * KIB };
/** How long records of a slow stream wait for more. */
const PART_WAIT_MS = 200;

/** What a stream needs from its shard. */
export interface StreamChannel {
  /** Sends a part, waiting for room in the buffer; it is durable when this resolves. With a key, returns the progress. */
  send(request: AcceptedRequest, load: Load): Promise<StreamProgress | null>;
  /** How far the batcher has accepted the stream of this key. */
  progress(): Promise<StreamProgress | null>;
}

/**
 * Bounds of one part for a buffer with these limits. A part is accepted completely or not at all, so it must fit into the
 * buffer; at this share of the buffer it also fits while other records are in it. A larger record is a part by itself.
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
 * Sends the records of a stream in parts. While one part is being sent, the next is collected; then `write` waits.
 *
 * With a key, the batcher accepts a part only where the previous one ended, and remembers its progress and the digest of
 * all records so far. So a stream that broke can be sent again: records that were accepted are read, compared and skipped
 * (G5). If the batcher remembers only the digest, the accepted part ends where the digest of the records read is equal.
 * @param bounds of one part, see {@link partBounds}
 * @param key how the batcher identifies the Idempotency-Key; undefined without one
 * @throws what `progress` throws
 */
export async function openRecordStream(
  channel: StreamChannel,
  bounds: Load,
  requestId: string,
  key: KeyRef | undefined,
): Promise<RecordStream> {
  const before = key === undefined ? null : await channel.progress();
  /** How many records were accepted earlier; undefined until it is known. */
  let taken = before === null ? 0 : (before.taken ?? undefined);
  const hash = sha256();
  let seen = 0;
  /** Digest of the records before the part that is being collected. */
  let digest = '';
  let part: Part = { offset: taken ?? 0, values: [], bytes: 0 };
  let timer: NodeJS.Timeout | undefined;
  let sending = Promise.resolve();
  let onTheirWay = 0;
  let failure: { error: unknown } | undefined;
  /** Without a key, the number of records sent; with one, the number that the batcher has accepted. */
  let durable = taken ?? 0;
  let reached = before;
  /** How many records are known to equal those accepted under the key. */
  let compared = 0;
  /** Whether the key turned out to belong to other records. */
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

  /** With a key, a part is accepted only directly after the previous one. */
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

  /** Compares the records with those accepted earlier, at the end of those as far as it is known. */
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
      // Regardless of why the stream ended, the records before that were valid.
      if (failure === undefined && !isOther && part.values.length > 0) sendPart(false);
      clearTimeout(timer);
      await sending;
      // What is durable under the key doesn't belong to this stream.
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

/** @param taken what part of the request was accepted */
export function reused(requestId: string, taken = 'nothing more was accepted'): KeepapartError {
  return new KeepapartError(
    'idempotency-key-reused',
    `The key ${idempotencyKeyOf(requestId)} has already been used for other records; ${taken}`,
  );
}

function overtaken(requestId: string): KeepapartError {
  return new KeepapartError(
    'stream-overtaken',
    `Stream ${requestId} was not accepted completely, because another connection sent it at the same time; send the same ` +
      'stream again under the same key',
    { retryAfterMs: 1000 },
  );
}
