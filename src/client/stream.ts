import type { Asked } from './answer-types';
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
  /** Up to 128 letters, digits and `. _ : -`; it becomes the requestId. Default: a random UUID. */
  idempotencyKey?: string | undefined;
  /** Told after each piece that was handed to the connection. */
  onProgress?: ((sent: StreamProgress) => void) | undefined;
  /**
   * Told about each second, when it has changed, how many records from the first on are durable. Not by an API before
   * 0.3.0, nor through a proxy that drops interim answers.
   */
  onAccepted?: ((accepted: number) => void) | undefined;
}

export interface StreamResult {
  requestId: string;
  /** All of them are durable. */
  accepted: number;
}

/**
 * Ends a stream whose source has failed: no line that holds it is JSON, wherever the text was cut. The API answers how
 * much is durable then, and the same key goes on behind that; a clean end would call what is there the whole.
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
 * Sends an NDJSON text of any length as one request, again and again from the start under the same key where its source
 * can give it again: the API compares what it has and goes on behind it.
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
  /** The most records that a try has sent, and whether the last one sent more, or made more durable, than all before. */
  let mostSent = 0;
  let gotOn = false;

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
      const told = error instanceof KeepapartApiError ? error.accepted : undefined;
      const { records } = sending.sent();
      if (told !== undefined) broken.accepted = Math.max(told, broken.accepted ?? 0);
      gotOn = records > mostSent || (broken.accepted ?? 0) > acceptedBefore;
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

  return withRetries({ policy, signal, attempt, repeatable: source.canOpen, gotOn: () => gotOn });
}

/** A source that is opened only when its first value is wanted: before that, also one that gives its values once may be tried again. */
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

/** What one try sends, counted. A source that throws is noted, and the text made one that can't be taken for whole. */
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
