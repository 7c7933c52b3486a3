import type { WaitsView } from '../../contracts/api/answers/requests';
import type { WaitsFor } from '../../contracts/workflow/waits';

/** How many records of all shards wait for one thing. */
export interface WaitShare {
  for: WaitsFor;
  /** In the API's words, of the shard where most of them are. */
  text: string;
  records: number;
  /** Of everything that is buffered, 0 to 1. */
  share: number;
}

/** By what is waited for, the most first. */
export function sharesOf({
  shards,
}: {
  shards: readonly Pick<WaitsView['shards'][number], 'waits'>[];
}): WaitShare[] {
  const all = shards.flatMap(({ waits }) => waits).sort((a, b) => b.records - a.records);
  const total = all.reduce((sum, { records }) => sum + records, 0);
  const byReason = new Map<WaitsFor, WaitShare>();
  for (const { for: reason, text, records } of all) {
    const share = byReason.get(reason);
    if (share === undefined) byReason.set(reason, { for: reason, text, records, share: records / total });
    else {
      share.records += records;
      share.share = share.records / total;
    }
  }
  return [...byReason.values()].sort((a, b) => b.records - a.records);
}
