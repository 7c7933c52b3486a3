import { MINUTE } from './duration';
import { expired, type KeyWindowPolicy } from './key-window';

/** Says where in a stream of records a part belongs, so that it is taken there, once, or not at all (G5). */
export interface StreamPart {
  /** Digest of the stream's Idempotency-Key, like that of a request. */
  key: string;
  /** Digest of all records before this part; empty for none. */
  before: string;
  /** Digest of all records up to its end. */
  after: string;
  /** Whether nothing comes behind it. */
  complete: boolean;
}

/** How far a stream has been taken. */
export interface StreamProgress {
  taken: number;
  /** Of the records that were taken. */
  digest: string;
  complete: boolean;
}

/** 11 characters of base64url (66 bits). */
export const STREAM_DIGEST_LENGTH = 11;

/** How many streams are remembered: at most 64 bytes each in what is carried. */
export const MAX_STREAMS = 300;

/** The streams that were seen, that of the oldest part first. Derived from {@link PackedStreams}; never stored itself. */
export type StreamWindow = Map<string, StreamProgress & { minute: number }>;

type PackedStream = [key: string, taken: number, digest: string, complete: 0 | 1, minute: number];
export type PackedStreams = PackedStream[];

export function knownStream(
  window: StreamWindow,
  key: string,
  policy: KeyWindowPolicy,
  nowMs: number,
): StreamProgress | undefined {
  const known = window.get(key);
  return known !== undefined && !expired(known.minute, policy, nowMs) ? known : undefined;
}

/**
 * Notes a part of `records` records that begins at `offset`, if it goes on where its stream stands. A part that does not
 * is a repeat, or of other records, or has lost the one before it: nothing of it may be taken then. Neither is a new
 * stream begun while as many as can be remembered are open.
 */
export function advanceStream(
  window: StreamWindow,
  { key, before, after, complete }: StreamPart,
  offset: number,
  records: number,
  policy: KeyWindowPolicy,
  nowMs: number,
): boolean {
  const known = knownStream(window, key, policy, nowMs);
  const stands = known ?? { taken: 0, digest: '', complete: false };
  if (stands.complete || stands.taken !== offset || stands.digest !== before) return false;
  if (known === undefined && !makeRoom(window, policy, nowMs)) return false;
  window.delete(key);
  window.set(key, { taken: offset + records, digest: after, complete, minute: Math.floor(nowMs / MINUTE) });
  return true;
}

/** Forgets what is too old, then whole streams before it would forget one that is open. */
function makeRoom(window: StreamWindow, policy: KeyWindowPolicy, nowMs: number): boolean {
  for (const [key, { minute }] of window) if (expired(minute, policy, nowMs)) window.delete(key);
  if (window.size < MAX_STREAMS) return true;
  for (const [key, { complete }] of window) {
    if (complete) return window.delete(key);
  }
  return false;
}

export function packStreams(window: StreamWindow): PackedStreams {
  return [...window].map(([key, { taken, digest, complete, minute }]) => [
    key,
    taken,
    digest,
    complete ? 1 : 0,
    minute,
  ]);
}

export function unpackStreams(packed: PackedStreams): StreamWindow {
  return new Map(
    packed.map(([key, taken, digest, complete, minute]) => [
      key,
      { taken, digest, complete: complete === 1, minute },
    ]),
  );
}
