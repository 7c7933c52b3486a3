import type { Asked } from './call-options';
import { unreachable, valueOf } from './answers';
import { authorization, type Connection } from './calls';
import {
  KeepapartApiError,
  KeepapartSourceError,
  KeepapartUnreachableError,
  type BrokenStream,
} from './errors';
import { createLineCounter, isRepeatable, type Source, type StreamProgress } from './ndjson';
import { postNdjson, type NdjsonPiece } from './ndjson-request';
import { withRetries, type RetryPolicy } from './retry';

export interface StreamOptions extends Asked {
  /** Up to 128 letters, digits and `. _ : -`; the requestId is derived from it. Default: a random UUID. */
  idempotencyKey?: string | undefined;
  /** Called after each piece that was written to the connection. */
  onProgress?: ((sent: StreamProgress) => void) | undefined;
  /**
   * Called about once a second, if it changed, with the number of records, from the first, that are durable. Not called by an
   * API before 0.3.0, or behind a proxy that drops interim answers.
   */
  onAccepted?: ((accepted: number) => void) | undefined;
}

/** The answer to a stream: all of its records are durable. */
export interface StreamResult {
  requestId: string;
  /** Number of records. */
  accepted: number;
}

/**
 * Sent when the source of a stream fails. A line that contains it is never JSON, wherever the text was cut, so the API
 * answers how much is durable, and the same key can continue. A clean end would make an incomplete stream look complete.
 */
const SOURCE_FAILED = ' !the source of the records failed\n';

interface Streaming {
  connection: Connection;
  policy: RetryPolicy;
  pieces: Source<NdjsonPiece>;
  key: string;
  options: StreamOptions;
}

/**
 * Sends an NDJSON text of any length as one request. After a failure, a repeatable source is sent again from the start under
 * the same key: the API compares what it has, and continues after it.
 */
export async function streamNdjson({
  connection,
  policy,
  pieces,
  key,
  options,
}: Streaming): Promise<StreamResult> {
  const source = createSource(pieces);
  const { signal } = options;
  const broken: BrokenStream = { requestId: key, accepted: undefined };
  /** The most records that an attempt has sent, and whether the last one sent more, or made more durable, than all before. */
  let mostSent = 0;
  let madeProgress = false;

  async function attempt(): Promise<StreamResult> {
    const sending = createSending(source.open, options.onProgress);
    const acceptedBefore = broken.accepted ?? 0;
    try {
      const answer = await postNdjson({
        address: `${connection.url}/v1/records`,
        headers: { ...authorization(connection), 'idempotency-key': key },
        pieces: sending.pieces(),
        signal,
        onAccepted(accepted) {
          broken.accepted = Math.max(accepted, broken.accepted ?? 0);
          options.onAccepted?.(broken.accepted);
        },
      });
      return valueOf(connection.url, answer) as StreamResult;
    } catch (error) {
      signal?.throwIfAborted();
      const reported = error instanceof KeepapartApiError ? error.accepted : undefined;
      const { records } = sending.sent();
      if (reported !== undefined) broken.accepted = Math.max(reported, broken.accepted ?? 0);
      madeProgress = records > mostSent || (broken.accepted ?? 0) > acceptedBefore;
      mostSent = Math.max(records, mostSent);
      if (sending.failure) throw new KeepapartSourceError(sending.failure.error, broken);
      throw error instanceof KeepapartApiError ? error : lost(error);
    }
  }

  function lost(error: unknown): KeepapartUnreachableError {
    const known = error instanceof KeepapartUnreachableError ? error : unreachable(connection.url, error);
    const { reason, cause, status, retryAfterMs } = known;
    const stream = { ...broken };
    return new KeepapartUnreachableError(connection.url, reason, { cause, status, retryAfterMs, stream });
  }

  return withRetries({
    policy,
    signal,
    attempt,
    repeatable: source.canOpen,
    madeProgress: () => madeProgress,
  });
}

/** Opens a source only when its first value is needed: until then, even a source that can't be repeated can be retried. */
function createSource<T>(source: Source<T>) {
  let opened = false;
  return {
    canOpen: () => isRepeatable(source) || !opened,
    open(): Iterable<T> | AsyncIterable<T> {
      opened = true;
      return typeof source === 'function' ? source() : source;
    },
  };
}

/** The pieces of one attempt, counted. If the source throws, the text is made invalid so that it isn't taken as complete. */
function createSending(
  open: () => Iterable<NdjsonPiece> | AsyncIterable<NdjsonPiece>,
  onProgress: StreamOptions['onProgress'],
) {
  const count = createLineCounter();
  let sent: StreamProgress = { records: 0, bytes: 0 };
  const sending = {
    failure: undefined as { error: unknown } | undefined,
    sent: () => sent,
    async *pieces(): AsyncGenerator<NdjsonPiece> {
      try {
        for await (const piece of open()) {
          yield piece;
          sent = count(piece);
          onProgress?.(sent);
        }
      } catch (error) {
        sending.failure = { error };
        yield SOURCE_FAILED;
      }
    },
  };
  return sending;
}
