// Types that `keepapart/client` shows: nothing here may import Temporal's SDK.
import type { LimitKey, Limits } from '../../domain/limits';
import type { OperatorAction } from './batcher-status';

/** A limit that was set while the system ran: it wins over what is configured until it is given back. */
export interface LimitOverride<Key extends LimitKey = LimitKey> extends OperatorAction {
  value: Limits[Key];
}

export type LimitOverrides = { [Key in LimitKey]?: LimitOverride<Key> };

/** For each limit that was set while the system ran: to what, by whom, when, and what it would be otherwise. */
export type OverriddenLimits = { [Key in LimitKey]?: LimitOverride<Key> & { configured: Limits[Key] } };

/** What is in force in one shard. */
export interface LimitsInForce {
  limits: Limits;
  overridden: OverriddenLimits;
}

/** The limits of one shard after they were changed. */
export interface ShardLimits extends LimitsInForce {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
}

/** What a change of limits has come to: the same in every shard, unless they are configured differently. */
export interface LimitsAnswer extends OperatorAction {
  shards: ShardLimits[];
}
