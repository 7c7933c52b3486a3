import { defineUpdate } from '@temporalio/workflow';
import type { LimitsPatch } from '../../domain/limits';
import type { OperatorAction } from './batcher-status';
import type { LimitsInForce } from './limits-answer';

export type {
  LimitOverride,
  LimitOverrides,
  LimitsAnswer,
  LimitsInForce,
  OverriddenLimits,
  ShardLimits,
} from './limits-answer';

/**
 * Changes limits; an update, so that the answer tells what is in force. Refused with `invalid-request` and all problems.
 * Nothing happens to a limit that was set to the same value before: who set it first stays known.
 */
export const limitsUpdate = defineUpdate<LimitsInForce, [LimitsPatch, OperatorAction]>('limits');
