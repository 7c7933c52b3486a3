import {
  KEY_KIND,
  expired,
  forgetKey,
  knownKey,
  minuteOf,
  rememberKey,
  type KeyRef,
  type KeyWindow,
  type KeyWindowPolicy,
  type RequestDigest,
} from './key-window';
import {
  MAX_STREAMS,
  streamToLeave,
  type StreamPart,
  type StreamProgress,
  type StreamWindow,
} from './stream-window';

/** What a batcher remembers of requests with idempotency keys (G5). */
export interface KnownRequests {
  keys: KeyWindow;
  /** The streams that are followed: for these, the number of accepted records is known as well. */
  streams: StreamWindow;
}

/** A list, or a part of a stream from index `offset` on, that must be accepted only once. */
export type Taking = { digest: RequestDigest } | { part: StreamPart; offset: number; records: number };

/** Whether to accept a list or a part of a stream. Remembers it if so. */
export function takeOnce(
  known: KnownRequests,
  taking: Taking,
  policy: KeyWindowPolicy,
  nowMs: number,
): boolean {
  if ('part' in taking) return takePart(known, taking, policy, nowMs);
  const { digest } = taking;
  if (bodyUnder(known, digest, policy, nowMs) !== undefined) return false;
  const { body } = digest;
  rememberKey(known.keys, digest, { body, kind: KEY_KIND.list, minute: minuteOf(nowMs) }, policy, nowMs);
  return true;
}

/** The digest of the list, or of the accepted part of the stream, that was sent under a key; undefined if the key isn't known. */
export function bodyUnder(
  known: KnownRequests,
  ref: KeyRef,
  policy: KeyWindowPolicy,
  nowMs: number,
): string | undefined {
  return progressUnder(known, ref, policy, nowMs)?.digest;
}

/**
 * How much of the stream under a key was accepted; undefined if the key isn't known. The key of a list counts as a
 * complete stream with other records.
 */
export function progressUnder(
  { keys, streams }: KnownRequests,
  ref: KeyRef,
  policy: KeyWindowPolicy,
  nowMs: number,
): StreamProgress | undefined {
  const followed = streams.get(ref.key);
  if (followed !== undefined && !expired(followed.minute, policy, nowMs)) {
    const { taken, digest, complete } = followed;
    return { taken, digest, complete };
  }
  const known = knownKey(keys, ref, policy, nowMs);
  if (known === undefined) return undefined;
  if (known.kind === KEY_KIND.list) return { taken: 0, digest: known.body, complete: true };
  return { taken: null, digest: known.body, complete: known.kind === KEY_KIND.wholeStream };
}

/**
 * Accepts a part if it continues its stream. A part that doesn't is a repeat, has other records, or arrived without its
 * predecessor; nothing of it may be accepted. A stream that is no longer followed is continued by its digest alone, which
 * identifies the accepted part as well as the number of records.
 */
function takePart(
  known: KnownRequests,
  { part, offset, records }: { part: StreamPart; offset: number; records: number },
  policy: KeyWindowPolicy,
  nowMs: number,
): boolean {
  const { keys, streams } = known;
  const progress = progressUnder(known, part, policy, nowMs) ?? { taken: 0, digest: '', complete: false };
  if (progress.complete || progress.digest !== part.before) return false;
  if (progress.taken !== null && progress.taken !== offset) return false;
  const { scope, key, after, complete } = part;
  forgetKey(keys, part);
  streams.delete(key);
  streams.set(key, { scope, taken: offset + records, digest: after, complete, minute: minuteOf(nowMs) });
  makeRoom(known, policy, nowMs);
  return true;
}

/** Moves surplus streams to the window of keys, each in its client's share. */
function makeRoom({ keys, streams }: KnownRequests, policy: KeyWindowPolicy, nowMs: number): void {
  for (const [key, { minute }] of streams) {
    if (!expired(minute, policy, nowMs)) break;
    streams.delete(key);
  }
  while (streams.size > MAX_STREAMS) {
    const key = streamToLeave(streams);
    const leaving = key === undefined ? undefined : streams.get(key);
    if (key === undefined || leaving === undefined) return;
    streams.delete(key);
    const { scope, digest: body, complete, minute } = leaving;
    const kind = complete ? KEY_KIND.wholeStream : KEY_KIND.stream;
    rememberKey(keys, { scope, key }, { body, kind, minute }, policy, nowMs);
  }
}
