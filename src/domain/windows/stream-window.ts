import type { KeyRef } from './key-window';

/** Says where in a stream of records a part belongs, so that it is taken there, once, or not at all (G5). */
export interface StreamPart extends KeyRef {
  /** Digest of all records before this part; empty for none. */
  before: string;
  /** Digest of all records up to its end. */
  after: string;
  /** Whether nothing comes behind it. */
  complete: boolean;
}

/** How far a stream has been taken. */
export interface StreamProgress {
  /** Records; null where only their digest is still known. */
  taken: number | null;
  /** Of the records that were taken. */
  digest: string;
  complete: boolean;
}

/** A stream that is followed. */
export interface FollowedStream {
  scope: string;
  taken: number;
  digest: string;
  complete: boolean;
  /** Of its last part. */
  minute: number;
}

/** How many streams are followed: at most 110 bytes each in what is carried. */
export const MAX_STREAMS = 100;

/** The streams that are followed, by key, that of the oldest part first. Never stored itself. */
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
 * Which stream makes room for another: of whoever has the most, one that is whole, or else the one that has been idle for
 * longest (G11).
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

export function unpackStreams(packed: PackedStreams): StreamWindow {
  return new Map(
    packed.map(([scope, key, taken, digest, complete, minute]) => [
      key,
      { scope, taken, digest, complete: complete === 1, minute },
    ]),
  );
}
