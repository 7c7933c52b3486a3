import type { ShardView } from '../../contracts/api/answers/status';
import { bytes, clock, count, duration } from '../../domain/format';
import { Table } from '../parts/table';

/** The shards side by side, where there are several. */
export function Shards({ shards, maxInFlight }: { shards: readonly ShardView[]; maxInFlight: number }) {
  return (
    <section class="stack">
      <h2>Shards</h2>
      <Table
        label="Shards"
        rows={shards}
        keyOf={({ batcher }) => batcher}
        columns={[
          ['Batcher', ({ batcher }) => batcher, 'mono'],
          ['State', stateOf],
          ['Buffered', ({ bufferedRecords }) => count(bufferedRecords), 'number'],
          ['Size', ({ bufferedBytes }) => bytes(bufferedBytes), 'number'],
          ['Oldest', ({ oldestAgeMs }) => (oldestAgeMs === null ? '–' : duration(oldestAgeMs)), 'number'],
          ['In flight', ({ inFlight }) => `${count(inFlight)} of ${count(maxInFlight)}`, 'number'],
          ['Saved', ({ counters }) => count(counters.saved), 'number'],
          ['Rolled back', ({ counters }) => count(counters.rolledBack), 'number'],
        ]}
      />
    </section>
  );
}

function stateOf({ paused, storeAway, saving }: ShardView): string {
  if (storeAway) return `store away since ${clock(storeAway.since)}`;
  if (paused) return `paused by ${paused.by} since ${clock(paused.atMs)}`;
  return saving.shape === 'batch' ? 'saves in bulk' : 'saves record by record';
}
