import { ApplicationFailure } from '@temporalio/common';
import type { OperatorAction } from '../../../src/contracts/workflow/batcher';
import type { LimitOverride, LimitOverrides, LimitsInForce } from '../../../src/contracts/workflow/limits';
import type { PipelineSettings } from '../../../src/contracts/workflow/settings';
import { uncutAll } from '../../../src/domain/buffer/buffer';
import type { ErrorCode } from '../../../src/domain/errors';
import { describeReceived } from '../../../src/domain/field-problems';
import { recountUnder } from '../../../src/domain/explain/cut-counts';
import { canonicalJson } from '../../../src/domain/json';
import {
  LIMIT_KEYS,
  limitsOf,
  problemsOfLimitsPatch,
  type LimitKey,
  type LimitsPatch,
} from '../../../src/domain/limits';
import { isAction } from './messages';
import { settingsInForce, type BatcherState } from '../run/state';

const INVALID: ErrorCode = 'invalid-request';

/** Takes over the configuration of a process. Limits that were set at runtime stay, whichever process starts. */
export function configure(state: BatcherState, configured: PipelineSettings): void {
  state.configured = configured;
  putInForce(state);
}

/**
 * Validator of the update. Synchronous: the SDK doesn't await one, and an update that it can't refuse is in history.
 * Who does it is looked at too, as anybody may send an update with Temporal's own command line.
 */
export function refuseBadLimits(patch: LimitsPatch, action: OperatorAction | undefined): void {
  const problems = problemsOfLimitsPatch(patch);
  if (!isAction(action)) {
    const expected = 'who does it, and when: {"by":"…","atMs":…}, as the second argument';
    problems.push({ field: '', expected, received: describeReceived(action) });
  }
  if (problems.length === 0) return;
  throw ApplicationFailure.create({
    type: INVALID,
    message: 'The limits are not valid; nothing was changed',
    details: [problems],
    nonRetryable: true,
  });
}

export function changeLimits(state: BatcherState, patch: LimitsPatch, action: OperatorAction): LimitsInForce {
  const kept = Object.entries(state.overrides).filter(([key]) => patch[key as LimitKey] !== null);
  state.overrides = Object.fromEntries(kept);
  for (const key of LIMIT_KEYS) {
    const value = patch[key] ?? undefined;
    if (value !== undefined) setLimit(state.overrides, key, { value, ...action });
  }
  putInForce(state);
  return limitsInForce(state);
}

function setLimit(overrides: LimitOverrides, key: LimitKey, override: LimitOverride): void {
  const before = overrides[key];
  if (before !== undefined && canonicalJson(before.value as never) === canonicalJson(override.value as never))
    return;
  // Key and value belong together, which the compiler can't follow through a union of keys.
  overrides[key] = override as never;
}

function putInForce(state: BatcherState): void {
  const { conflicts } = state.settings;
  state.settings = settingsInForce(state.configured, state.overrides);
  uncutAll(state.buffer.head);
  state.cuts = recountUnder(state.cuts, conflicts, state.settings.conflicts);
  state.reaches.clear();
}

export function limitsInForce({ settings, configured, overrides }: BatcherState): LimitsInForce {
  const overridden = LIMIT_KEYS.flatMap((key) => {
    const override = overrides[key];
    return override === undefined ? [] : [[key, { ...override, configured: configured[key] }] as const];
  });
  return { limits: limitsOf(settings), overridden: Object.fromEntries(overridden) };
}
