/*
 * Messages come from outside: besides keepapart, anybody with Temporal's command line or Web UI can send one with any
 * content. What isn't as its type says is recognised here, so that no handler throws and nothing grows past its bound.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { AcceptedRequest, BatcherQuestion, OperatorAction } from '../../src/contracts/workflow/batcher';
import type { ClosedBatches } from '../../src/contracts/workflow/child';
import { isKnowableRequestId } from '../../src/contracts/workflow/ids';
import {
  CONFLICT_SCOPE,
  ON_FAILURE,
  SAVE_ACTIVITY,
  type PipelineSettings,
} from '../../src/contracts/workflow/settings';
import { describeReceived, type ErrorCode } from '../../src/domain/errors';
import { MAX_BATCH_BYTES } from '../../src/domain/buffer/flush-cut';
import { isDeeperThan, isObject, jsonBytes, utf8Bytes, type JsonValue } from '../../src/domain/json';
import { isDigestText, type KeyRef, type RequestDigest } from '../../src/domain/windows/key-window';
import type { Layout } from '../../src/domain/windows/layout';
import { MAX_SHARDS, problemsOfLimitsPatch, LIMIT_KEYS } from '../../src/domain/limits';
import { OUTCOME_FORMATS, cutToBytes } from '../../src/domain/records/outcome';
import { MAX_RECORD_DEPTH } from '../../src/domain/records/record';
import { isScope } from '../../src/domain/scope';
import { MAX_SENDER_LENGTH, type MessageOrigin } from '../../src/domain/windows/sender-window';
import type { StreamPart } from '../../src/domain/windows/stream-window';

const INVALID: ErrorCode = 'invalid-request';

/** Of who acted: carried with each limit that was set. */
const MAX_NAME_BYTES = 256;

/** The greatest time that a date can have. */
const MAX_TIME_MS = 8.64e15;

type Unknown<T> = { [Key in keyof T]?: unknown };

/** The requests in a message; undefined where it has anything else. */
export function requestsFrom(input: unknown): AcceptedRequest[] | undefined {
  return Array.isArray(input) && input.every(isRequest) ? input : undefined;
}

function isRequest(input: unknown): input is AcceptedRequest {
  if (!isObject(input)) return false;
  const { requestId, values, digest, layout, offset, part }: Unknown<AcceptedRequest> = input;
  return (
    typeof requestId === 'string' &&
    isKnowableRequestId(requestId) &&
    Array.isArray(values) &&
    values.every(isRecord) &&
    (digest === undefined || isDigest(digest)) &&
    (layout === undefined || isCount(layout)) &&
    (offset === undefined || isCount(offset)) &&
    (part === undefined || (offset !== undefined && isPart(part)))
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

function isKeyRef(input: unknown): input is KeyRef {
  if (!isObject(input)) return false;
  const { scope, key }: Unknown<KeyRef> = input;
  return isScope(scope) && isDigestText(key);
}

function isPart(input: unknown): input is StreamPart {
  if (!isKeyRef(input)) return false;
  const { before, after, complete }: Unknown<StreamPart> = input;
  return (before === '' || isDigestText(before)) && isDigestText(after) && typeof complete === 'boolean';
}

function isCount(value: unknown): value is number {
  // Not -0: the next run would have 0 instead.
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

export function isOrigin(input: unknown): input is MessageOrigin {
  if (!isObject(input)) return false;
  const { sender, number }: Unknown<MessageOrigin> = input;
  return typeof sender === 'string' && sender.length <= MAX_SENDER_LENGTH && isCount(number);
}

/** Validator of `takeUpdate`. Synchronous: the SDK doesn't await one, and would accept the update. */
export function refuseBadRequests(...args: unknown[]): void {
  const [requests, origin] = args;
  if (requestsFrom(requests) !== undefined && isOrigin(origin)) return;
  throw ApplicationFailure.create({
    type: INVALID,
    message: 'The requests are not valid; nothing was taken',
    details: [
      [{ field: '', expected: 'requests and their origin', received: describeReceived([requests, origin]) }],
    ],
    nonRetryable: true,
  });
}

/** Validator of `layoutUpdate`. */
export function refuseBadLayout(...args: unknown[]): void {
  if (isLayout(args[0])) return;
  throw ApplicationFailure.create({
    type: INVALID,
    message: 'The layout is not valid; nothing was changed',
    details: [[{ field: '', expected: 'a layout', received: describeReceived(args[0]) }]],
    nonRetryable: true,
  });
}

function isLayout(input: unknown): input is Layout {
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

/** @throws ApplicationFailure for anything but questions */
export function questionsFrom(input: unknown): BatcherQuestion[] {
  if (Array.isArray(input) && input.every(isQuestion)) return input;
  throw ApplicationFailure.create({
    type: INVALID,
    message: 'These are no questions that a batcher answers',
    details: [[{ field: '', expected: 'a list of questions', received: describeReceived(input) }]],
    nonRetryable: true,
  });
}

function isQuestion(input: unknown): input is BatcherQuestion {
  if (!isObject(input)) return false;
  const { about, requestId, keys, key } = input;
  switch (about) {
    case 'status':
    case 'layout':
    case 'waits':
      return true;
    case 'request':
      return typeof requestId === 'string';
    case 'keys':
      return Array.isArray(keys) && keys.every(isKeyRef);
    case 'stream':
      return isKeyRef(key);
    default:
      return false;
  }
}

/** Who acted, and when; somebody unknown, now, where the message doesn't say. */
export function actionFrom(input: unknown, nowMs: number): OperatorAction {
  const { by, atMs }: Unknown<OperatorAction> = isObject(input) ? input : {};
  return {
    by: typeof by === 'string' ? cutToBytes(by, MAX_NAME_BYTES) : 'unknown',
    atMs: isTime(atMs) ? atMs : nowMs,
  };
}

/** Whether a message says who acted, and when. */
export function isAction(input: unknown): input is OperatorAction {
  if (!isObject(input)) return false;
  const { by, atMs }: Unknown<OperatorAction> = input;
  return typeof by === 'string' && utf8Bytes(by) <= MAX_NAME_BYTES && isTime(atMs);
}

function isTime(value: unknown): value is number {
  return isCount(value) && value <= MAX_TIME_MS;
}

export function isProgress(input: unknown): input is ClosedBatches {
  if (!isObject(input)) return false;
  const { batches, saved, rolledBack, retries }: Unknown<ClosedBatches> = input;
  return [batches, saved, rolledBack, retries].every(isCount);
}

/** Whether a message has settings. The limits among them are checked as the API checks them. */
export function isSettings(input: unknown): input is PipelineSettings {
  if (!isObject(input)) return false;
  const limits = Object.fromEntries(LIMIT_KEYS.map((key) => [key, input[key]]));
  const others: Unknown<PipelineSettings> = input;
  return (
    LIMIT_KEYS.every((key) => input[key] != null) &&
    problemsOfLimitsPatch(limits).length === 0 &&
    [others.apartMs, others.idempotencyWindowMs, others.idempotencyWindowKeys].every(isCount) &&
    isOneOf(Object.values(CONFLICT_SCOPE), others.conflictScope) &&
    isOneOf(OUTCOME_FORMATS, others.outcomeFormat) &&
    isOneOf(Object.values(ON_FAILURE), others.onFailure) &&
    isOneOf(Object.values(SAVE_ACTIVITY), others.saveActivity)
  );
}

function isOneOf(known: readonly unknown[], value: unknown): boolean {
  return known.includes(value);
}
