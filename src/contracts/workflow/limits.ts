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
 * Changes limits, and returns those in force. Rejected with `invalid-request` and all problems. Setting a limit to the
 * value it was already set to changes nothing, not even who set it.
 */
export const limitsUpdate = defineUpdate<LimitsInForce, [LimitsPatch, OperatorAction]>('limits');
