import {
  packKeys,
  rememberKey,
  unpackKeys,
  type KeyWindow,
  type KeyWindowPolicy,
  type PackedKeyWindow,
  type RequestDigest,
} from './key-window';
import { takeOnce, type KnownRequests } from './known-requests';
import { NO_LAYOUT, mergeLayouts, rankOf, type Layout } from './layout';
import { MAX_SENDERS, type PackedSenders, type SenderWindow } from './sender-window';
import { packStreams, unpackStreams, type PackedStreams, type StreamPart } from './stream-window';

/** What a batcher remembers of what was sent to it, so that nothing is taken twice (G4, G5). */
export interface BatcherMemory extends KnownRequests {
  /** How many shards there are for requests with keys. */
  layout: Layout;
  /** The last message of each recent sender. */
  senders: SenderWindow;
}

/** A {@link BatcherMemory} as plain JSON. */
export interface PackedMemory {
  keys: PackedKeyWindow;
  streams: PackedStreams;
  layout: Layout;
  senders: PackedSenders;
}

export function packMemory({ keys, streams, layout, senders }: BatcherMemory): PackedMemory {
  return { keys: packKeys(keys), streams: packStreams(streams), layout, senders: [...senders] };
}

/** The memory that was packed; an empty one for none. */
export function unpackMemory(packed: PackedMemory | undefined): BatcherMemory {
  return {
    keys: unpackKeys(packed?.keys ?? { minute: 0, shares: [] }),
    streams: unpackStreams(packed?.streams ?? []),
    layout: packed?.layout ?? NO_LAYOUT,
    senders: new Map(packed?.senders),
  };
}

/** A list, or a part of a stream, as far as it matters for whether it is taken. */
export interface ArrivingRequest {
  values: readonly unknown[];
  digest?: RequestDigest;
  layout?: number;
  offset?: number;
  part?: StreamPart;
}

/** Whether the sender doesn't know yet where keys have to be looked for: then nothing is taken. */
export function isOutdated({ layout: known }: BatcherMemory, { layout }: ArrivingRequest): boolean {
  return layout !== undefined && layout < rankOf(known);
}

/** Whether a request is new: not a repeat, nor a part out of turn. Remembers it if so. */
export function isNewRequest(
  memory: BatcherMemory,
  { digest, part, offset = 0, values }: ArrivingRequest,
  policy: KeyWindowPolicy,
  nowMs: number,
): boolean {
  if (part !== undefined) return takeOnce(memory, { part, offset, records: values.length }, policy, nowMs);
  return digest === undefined || takeOnce(memory, { digest }, policy, nowMs);
}

/** Adds what an earlier batcher remembered. Where both know a key or a sender, the later one knows better. */
export function addEarlierMemory(
  memory: BatcherMemory,
  earlier: BatcherMemory,
  policy: KeyWindowPolicy,
  nowMs: number,
): void {
  memory.layout = mergeLayouts(memory.layout, earlier.layout);

  const senders = [...memory.senders];
  memory.senders.clear();
  for (const [sender, last] of [...earlier.senders, ...senders]) {
    memory.senders.delete(sender);
    memory.senders.set(sender, last);
  }
  for (const oldest of memory.senders.keys()) {
    if (memory.senders.size <= MAX_SENDERS) break;
    memory.senders.delete(oldest);
  }

  const keys = entriesOf(memory.keys);
  memory.keys.clear();
  for (const [scope, key, known] of entriesOf(earlier.keys))
    if (!memory.streams.has(key)) rememberKey(memory.keys, { scope, key }, known, policy, nowMs);
  for (const [scope, key, known] of keys) rememberKey(memory.keys, { scope, key }, known, policy, nowMs);

  const known = new Set(keys.map(([, key]) => key));
  const streams = [...memory.streams];
  memory.streams.clear();
  for (const [key, stream] of [...earlier.streams, ...streams])
    if (!known.has(key)) memory.streams.set(key, stream);
}

function entriesOf(keys: KeyWindow) {
  return [...keys].flatMap(([scope, share]) =>
    [...share].map(([key, known]) => [scope, key, known] as const),
  );
}
