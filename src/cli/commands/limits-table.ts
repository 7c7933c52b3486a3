import type { ShardLimits } from '../../client';
import { LIMIT_KEYS } from '../../domain/limits';
import { cut, plain, table } from '../terminal/table';

/** What is in force in a shard, and what of it was set while it ran. */
export type LimitsOfShard = Pick<ShardLimits, 'shard' | 'limits' | 'overridden'>;

/** A row for each limit; for each shard where they differ. Rules that are long are cut: `--json` has them whole. */
export function renderLimits(shards: readonly LimitsOfShard[]): string {
  const [first, ...others] = shards.map(tableOf);
  if (first === undefined) return '';
  if (others.every((other) => other === first)) return `${first}\n`;
  return shards.map((shard) => `shard ${shard.shard}\n${tableOf(shard)}\n`).join('\n');
}

function tableOf({ limits, overridden }: LimitsOfShard): string {
  const rows = LIMIT_KEYS.map((key) => {
    const set = overridden[key];
    const value = cut(JSON.stringify(limits[key]));
    if (set === undefined) return [key, value, '–', '–', '–'];
    return [key, value, cut(JSON.stringify(set.configured)), plain(set.by), new Date(set.atMs).toISOString()];
  });
  return table([['limit', 'in force', 'configured', 'set by', 'at'], ...rows]);
}
