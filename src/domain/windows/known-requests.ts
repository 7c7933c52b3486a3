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

/** What a batcher remembers of requests that are to be taken once (G5). */
export interface KnownRequests {
  keys: KeyWindow;
  /** Streams that are followed: for these it is also known how many records were taken. */
  streams: StreamWindow;
}

/** Whether a list is taken, or a part of a stream; remembers it if so. */
export type Taking = { digest: RequestDigest } | { part: StreamPart; offset: number; records: number };

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

/** What a key stands for: the digest of a list, or that of what has come of a stream. */
export function bodyUnder(
  known: KnownRequests,
  ref: KeyRef,
  policy: KeyWindowPolicy,
  nowMs: number,
): string | undefined {
  return progressUnder(known, ref, policy, nowMs)?.digest;
}

/** How far the stream under a key has been taken. A key of a list stands for a whole stream of other records. */
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
 * Notes a part, if it goes on where its stream stands. A part that does not is a repeat, or of other records, or has lost
 * the one before it: nothing of it may be taken then. A stream that is no longer followed goes on by its digest, which
 * says where it stands as surely as the number of records.
 */
function takePart(
  known: KnownRequests,
  { part, offset, records }: { part: StreamPart; offset: number; records: number },
  policy: KeyWindowPolicy,
  nowMs: number,
): boolean {
  const { keys, streams } = known;
  const stands = progressUnder(known, part, policy, nowMs) ?? { taken: 0, digest: '', complete: false };
  if (stands.complete || stands.digest !== part.before) return false;
  if (stands.taken !== null && stands.taken !== offset) return false;
  const { scope, key, after, complete } = part;
  forgetKey(keys, part);
  streams.delete(key);
  streams.set(key, { scope, taken: offset + records, digest: after, complete, minute: minuteOf(nowMs) });
  makeRoom(known, policy, nowMs);
  return true;
}

/** Has streams leave that are too many: their keys are remembered like those of lists, each in its client's share. */
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
