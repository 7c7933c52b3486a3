import type { ShardView } from '../../contracts/api/views';
import { bytes, clock, count, duration } from '../model/format';

/** The shards side by side, where there are several. */
export function Shards({ shards, maxInFlight }: { shards: readonly ShardView[]; maxInFlight: number }) {
  return (
    <section class="stack">
      <h2>Shards</h2>
      <div class="scroll card" tabIndex={0} role="region" aria-label="Shards">
        <table>
          <thead>
            <tr>
              <th scope="col">Batcher</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Buffered
              </th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col" class="number">
                Oldest
              </th>
              <th scope="col" class="number">
                In flight
              </th>
              <th scope="col" class="number">
                Saved
              </th>
              <th scope="col" class="number">
                Rolled back
              </th>
            </tr>
          </thead>
          <tbody>
            {shards.map((shard) => (
              <tr key={shard.batcher}>
                <th scope="row" class="mono">
                  {shard.batcher}
                </th>
                <td>{stateOf(shard)}</td>
                <td class="number">{count(shard.bufferedRecords)}</td>
                <td class="number">{bytes(shard.bufferedBytes)}</td>
                <td class="number">{shard.oldestAgeMs === null ? '–' : duration(shard.oldestAgeMs)}</td>
                <td class="number">
                  {count(shard.inFlight)} of {count(maxInFlight)}
                </td>
                <td class="number">{count(shard.counters.saved)}</td>
                <td class="number">{count(shard.counters.rolledBack)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function stateOf({ paused, storeAway, saving }: ShardView): string {
  if (storeAway) return `store away since ${clock(storeAway.since)}`;
  if (paused) return `paused by ${paused.by} since ${clock(paused.atMs)}`;
  return saving.shape === 'batch' ? 'saves in bulk' : 'saves record by record';
}
