import { isKeepapartError, KeepapartError, SHARD_CHANGE, type ShardChange } from '../../domain/errors';
import type { LimitsAnswer, ShardLimits } from '../../contracts/workflow/limits';
import type { LimitsPatch } from '../../domain/limits';
import type { Shards } from './shards';

/**
 * Changes the limits of every open shard, in parallel. Repeating it is harmless, and completes a partial change.
 * @throws `invalid-request` with all problems; `temporal-unavailable` if no shard answered (for example without a worker);
 *   `limits-incomplete` with what is known of each shard
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
    `${open.length} of ${all.length} shards did not confirm the change (${first.message}); repeat the call to complete it`,
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
  // A batcher that has received the update may still apply it once there is a worker.
  const change = result.code === 'invalid-request' ? SHARD_CHANGE.refused : SHARD_CHANGE.unknown;
  return { batcher, change, reason: result.message };
}
