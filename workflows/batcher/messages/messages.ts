/*
 * Messages come from outside: besides keepapart, anybody with Temporal's command line or Web UI can send one with any
 * content. What isn't as its type says is recognised here, so that no handler throws and nothing grows past its bound.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { BatcherQuestion, OperatorAction } from '../../../src/contracts/workflow/batcher';
import type { ClosedBatches } from '../../../src/contracts/workflow/child';
import {
  isCount,
  isKeyRef,
  isLayout,
  isOrigin,
  isTime,
  requestsFrom,
} from '../../../src/contracts/workflow/message-checks';
import {
  CONFLICT_SCOPE,
  ON_FAILURE,
  SAVE_ACTIVITY,
  type PipelineSettings,
} from '../../../src/contracts/workflow/settings';
import type { ErrorCode } from '../../../src/domain/errors';
import { describeReceived } from '../../../src/domain/field-problems';
import { isObject, utf8Bytes } from '../../../src/domain/json';
import { LIMIT_KEYS, problemsOfLimitsPatch } from '../../../src/domain/limits';
import { OUTCOME_FORMATS, cutToBytes } from '../../../src/domain/records/outcome';

const INVALID: ErrorCode = 'invalid-request';

/** Of who acted: carried with each limit that was set. */
const MAX_NAME_BYTES = 256;

type Unknown<T> = { [Key in keyof T]?: unknown };

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
    case 'buffer':
    case 'controls':
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

/** Who acted, and when; unknown, and now, if the message doesn't say. */
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

export function isProgress(input: unknown): input is ClosedBatches {
  if (!isObject(input)) return false;
  const { batches, saved, rolledBack, retries }: Unknown<ClosedBatches> = input;
  return [batches, saved, rolledBack, retries].every(isCount);
}

/** Whether a message contains settings. Limits are checked as the API checks them. */
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
