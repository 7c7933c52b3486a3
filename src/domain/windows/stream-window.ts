import type { KeyRef } from './key-window';

/** Identifies the position of a part in a stream, so that the part is accepted there, once, or not at all (G5). */
export interface StreamPart extends KeyRef {
  /** Digest of all records before this part; empty for the first part. */
  before: string;
  /** Digest of all records up to the end of this part. */
  after: string;
  /** Whether this is the last part. */
  complete: boolean;
}

/** How much of a stream was accepted. */
export interface StreamProgress {
  /** Number of accepted records; null if only their digest is still known. */
  taken: number | null;
  /** Digest of the accepted records. */
  digest: string;
  /** Whether the last part was accepted. */
  complete: boolean;
}

/** A stream whose number of accepted records is known. */
export interface FollowedStream {
  scope: string;
  taken: number;
  digest: string;
  complete: boolean;
  /** When its last part was accepted, in minutes since the epoch. */
  minute: number;
}

/** How many streams are followed: at most 110 bytes each of carried state. */
export const MAX_STREAMS = 100;

/** The streams that are followed, by key; the one whose last part is oldest comes first. In memory only; see {@link PackedStreams}. */
export type StreamWindow = Map<string, FollowedStream>;

type PackedStream = [
  scope: string,
  key: string,
  taken: number,
  digest: string,
  complete: 0 | 1,
  minute: number,
];
export type PackedStreams = PackedStream[];

/**
 * Key of the stream that leaves to make room: in the scope with most streams, a complete one, otherwise the one that has
 * been idle longest (G11).
 */
export function streamToLeave(window: StreamWindow): string | undefined {
  const shares = new Map<string, number>();
  for (const { scope } of window.values()) shares.set(scope, (shares.get(scope) ?? 0) + 1);
  const most = Math.max(0, ...shares.values());
  let idlest: string | undefined;
  for (const [key, { scope, complete }] of window) {
    if (shares.get(scope) !== most) continue;
    if (complete) return key;
    idlest ??= key;
  }
  return idlest;
}

/** The streams as plain JSON. */
export function packStreams(window: StreamWindow): PackedStreams {
  return [...window].map(([key, { scope, taken, digest, complete, minute }]) => [
    scope,
    key,
    taken,
    digest,
    complete ? 1 : 0,
    minute,
  ]);
}

/** The inverse of {@link packStreams}. */
export function unpackStreams(packed: PackedStreams): StreamWindow {
  return new Map(
    packed.map(([scope, key, taken, digest, complete, minute]) => [
      key,
      { scope, taken, digest, complete: complete === 1, minute },
    ]),
  );
}
