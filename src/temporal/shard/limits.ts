import { isKeepapartError, KeepapartError, SHARD_CHANGE, type ShardChange } from '../../domain/errors';
import type { LimitsAnswer, ShardLimits } from '../../contracts/workflow/limits';
import type { LimitsPatch } from '../../domain/limits';
import type { Shards } from './shards';

/**
 * Changes the limits of every open shard, side by side. Repeating it does no harm, and completes what was done in some
 * shards only. Throws `invalid-request` with all problems, `temporal-unavailable` when no shard answered (without a worker,
 * for example), and `limits-incomplete` with what is known of each shard.
 */
export async function changeLimits(shards: Shards, patch: LimitsPatch, by: string): Promise<LimitsAnswer> {
  const action = { by, atMs: Date.now() };
  const all = await shards.all();
  const results = await Promise.all(all.map((shard) => shard.changeLimits(patch, action).catch(catalogued)));
  const failures = results.filter((result) => result instanceof Error);
  const [first] = failures;
  if (first === undefined) return { ...action, shards: results as ShardLimits[] };
  if (failures.length === all.length) throw first;
  const changes = results.map((result, i) => changeOf(result, all[i]?.batcher ?? ''));
  const open = changes.filter(({ change }) => change !== SHARD_CHANGE.changed);
  throw new KeepapartError(
    'limits-incomplete',
    `Of ${all.length} shards ${open.length} did not confirm the change (${first.message}); the same again completes it`,
    {
      problems: first.problems,
      cause: first,
      progress: { shards: changes },
      ...(first.retryAfterMs !== undefined && { retryAfterMs: first.retryAfterMs }),
    },
  );
}

function catalogued(error: unknown): KeepapartError {
  if (isKeepapartError(error)) return error;
  throw error;
}

function changeOf(result: ShardLimits | KeepapartError, batcher: string): ShardChange {
  if (!(result instanceof Error)) return { batcher, change: SHARD_CHANGE.changed };
  // A batcher that has the update already may carry it out as soon as a worker is there.
  const change = result.code === 'invalid-request' ? SHARD_CHANGE.refused : SHARD_CHANGE.unknown;
  return { batcher, change, reason: result.message };
}
