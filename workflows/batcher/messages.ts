/*
 * Messages come from outside: besides keepapart, anybody with Temporal's command line or Web UI can send one with any
 * content. What isn't as its type says is recognised here, so that no handler throws.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { AcceptedRequest, BatcherQuestion, OperatorAction } from '../../src/contracts/batcher';
import type { ChildProgress } from '../../src/contracts/child';
import { isKnowableRequestId } from '../../src/contracts/ids';
import type { PipelineSettings } from '../../src/contracts/settings';
import { describeReceived, type ErrorCode } from '../../src/domain/errors';
import { problemsOfLimitsPatch, LIMIT_KEYS } from '../../src/domain/limits';
import type { MessageOrigin } from '../../src/domain/sender-window';

const INVALID: ErrorCode = 'invalid-request';

type Unknown<T> = { [Key in keyof T]?: unknown };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The requests in a message; undefined where it has anything else. */
export function requestsFrom(input: unknown): AcceptedRequest[] | undefined {
  return Array.isArray(input) && input.every(isRequest) ? input : undefined;
}

function isRequest(input: unknown): input is AcceptedRequest {
  if (!isObject(input)) return false;
  const { requestId, values, digest, offset, part }: Unknown<AcceptedRequest> = input;
  return (
    typeof requestId === 'string' &&
    isKnowableRequestId(requestId) &&
    Array.isArray(values) &&
    (digest === undefined || hasTexts(digest, 'key', 'body')) &&
    (offset === undefined || isCount(offset)) &&
    (part === undefined || (offset !== undefined && hasTexts(part, 'key', 'before', 'after')))
  );
}

function hasTexts(input: unknown, ...keys: string[]): boolean {
  return isObject(input) && keys.every((key) => typeof input[key] === 'string');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isOrigin(input: unknown): input is MessageOrigin {
  return hasTexts(input, 'sender') && isCount((input as Unknown<MessageOrigin>).number);
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
      return true;
    case 'request':
      return typeof requestId === 'string';
    case 'keys':
      return Array.isArray(keys) && keys.every((one) => typeof one === 'string');
    case 'stream':
      return typeof key === 'string';
    default:
      return false;
  }
}

/** Who acted, and when; somebody unknown, now, where the message doesn't say. */
export function actionFrom(input: unknown, nowMs: number): OperatorAction {
  const { by, atMs }: Unknown<OperatorAction> = isObject(input) ? input : {};
  return { by: typeof by === 'string' ? by : 'unknown', atMs: isCount(atMs) ? atMs : nowMs };
}

export function isProgress(input: unknown): input is ChildProgress {
  if (!isObject(input)) return false;
  const { batches, saved, rolledBack, retries, waits }: Unknown<ChildProgress> = input;
  return [batches, saved, rolledBack, retries].every(isCount) && typeof waits === 'boolean';
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
    [others.conflictScope, others.outcomeFormat, others.onFailure, others.saveActivity].every(
      (value) => typeof value === 'string',
    )
  );
}
