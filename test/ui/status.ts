import type { StatusView } from '../../src/contracts/api/answers/status';
import { FakeBatcherClient } from '../helpers/fake-batcher-client';

/** A status of one shard that differs from an empty one in this. */
export function statusWith(
  total: Partial<Omit<StatusView['total'], 'counters' | 'cuts'>> & {
    counters?: Partial<StatusView['total']['counters']>;
    cuts?: Partial<StatusView['total']['cuts']>;
  } = {},
  shard: Partial<StatusView['shards'][number]> = {},
  settings: Partial<StatusView['settings']> = {},
): StatusView {
  const empty = new FakeBatcherClient().statusView;
  const merged = {
    ...empty.total,
    ...total,
    counters: { ...empty.total.counters, ...total.counters },
    cuts: { ...empty.total.cuts, ...total.cuts },
  };
  const [first] = empty.shards;
  if (first === undefined) throw new Error('the empty status has no shard');
  return { total: merged, shards: [{ ...first, ...shard }], settings: { ...empty.settings, ...settings } };
}
