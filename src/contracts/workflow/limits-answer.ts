// `keepapart/client` exports these types, so nothing here may import Temporal's SDK.
import type { LimitKey, Limits } from '../../domain/limits';
import type { OperatorAction } from './batcher-status';

/** A limit that was changed at runtime. It takes precedence over the configured value until it is reset. */
export interface LimitOverride<Key extends LimitKey = LimitKey> extends OperatorAction {
  value: Limits[Key];
}

export type LimitOverrides = { [Key in LimitKey]?: LimitOverride<Key> };

/** The overridden limits: their values, who changed them, when, and the configured values. */
export type OverriddenLimits = { [Key in LimitKey]?: LimitOverride<Key> & { configured: Limits[Key] } };

/** The limits in force in one shard, and which of them are overridden. */
export interface LimitsInForce {
  limits: Limits;
  overridden: OverriddenLimits;
}

/** The limits of one shard after a change. */
export interface ShardLimits extends LimitsInForce {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
}

/** The result of a change of limits, in every shard. */
export interface LimitsAnswer extends OperatorAction {
  shards: ShardLimits[];
}
