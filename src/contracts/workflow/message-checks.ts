/*
 * Whether a message that reached a batcher is what its type says. Anybody with Temporal's command line or Web UI can send
 * one with any content; the batcher takes none that isn't, and whoever reads its history has to know which it took.
 */
import { MAX_BATCH_BYTES } from '../../domain/buffer/flush-cut';
import { isDeeperThan, isObject, jsonBytes, type JsonValue } from '../../domain/json';
import { isDigestText, type KeyRef, type RequestDigest } from '../../domain/windows/key-window';
import type { Layout } from '../../domain/windows/layout';
import { MAX_SHARDS } from '../../domain/limits';
import { MAX_RECORD_DEPTH } from '../../domain/records/record';
import { isTraceContext } from '../../domain/records/trace-context';
import { isScope } from '../../domain/scope';
import { MAX_SENDER_LENGTH, type MessageOrigin } from '../../domain/windows/sender-window';
import type { StreamPart } from '../../domain/windows/stream-window';
import type { AcceptedRequest } from './batcher';
import { isKnowableRequestId } from './ids';

/** The greatest time that a date can have. */
const MAX_TIME_MS = 8.64e15;

type Unknown<T> = { [Key in keyof T]?: unknown };

/** The requests in a message; undefined where it has anything else. */
export function requestsFrom(input: unknown): AcceptedRequest[] | undefined {
  return Array.isArray(input) && input.every(isRequest) ? input : undefined;
}

function isRequest(input: unknown): input is AcceptedRequest {
  if (!isObject(input)) return false;
  const { requestId, values, digest, layout, offset, part, trace }: Unknown<AcceptedRequest> = input;
  return (
    typeof requestId === 'string' &&
    isKnowableRequestId(requestId) &&
    Array.isArray(values) &&
    values.every(isRecord) &&
    (digest === undefined || isDigest(digest)) &&
    (layout === undefined || isCount(layout)) &&
    (offset === undefined || isCount(offset)) &&
    (part === undefined || (offset !== undefined && isPart(part))) &&
    (trace === undefined || isTraceContext(trace))
  );
}

/** One that is larger fits no batch, and with very many levels there is no JSON of it. */
function isRecord(value: JsonValue): boolean {
  return !isDeeperThan(value, MAX_RECORD_DEPTH) && jsonBytes(value) <= MAX_BATCH_BYTES;
}

/** Digests are of a fixed length: they are carried one after another. */
function isDigest(input: unknown): input is RequestDigest {
  return isKeyRef(input) && isDigestText((input as Unknown<RequestDigest>).body);
}

export function isKeyRef(input: unknown): input is KeyRef {
  if (!isObject(input)) return false;
  const { scope, key }: Unknown<KeyRef> = input;
  return isScope(scope) && isDigestText(key);
}

function isPart(input: unknown): input is StreamPart {
  if (!isKeyRef(input)) return false;
  const { before, after, complete }: Unknown<StreamPart> = input;
  return (before === '' || isDigestText(before)) && isDigestText(after) && typeof complete === 'boolean';
}

export function isCount(value: unknown): value is number {
  // Not -0: the next run would have 0 instead.
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

export function isOrigin(input: unknown): input is MessageOrigin {
  if (!isObject(input)) return false;
  const { sender, number }: Unknown<MessageOrigin> = input;
  return typeof sender === 'string' && sender.length <= MAX_SENDER_LENGTH && isCount(number);
}

export function isLayout(input: unknown): input is Layout {
  if (!isObject(input)) return false;
  const { version, shards, before }: Unknown<Layout> = input;
  return (
    isCount(version) &&
    isShards(shards) &&
    Array.isArray(before) &&
    before.length <= MAX_SHARDS &&
    before.every((one) => Array.isArray(one) && one.length === 2 && isShards(one[0]) && isTime(one[1]))
  );
}

function isShards(value: unknown): value is number {
  return isCount(value) && value > 0 && value <= MAX_SHARDS;
}

export function isTime(value: unknown): value is number {
  return isCount(value) && value <= MAX_TIME_MS;
}
