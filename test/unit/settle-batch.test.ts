import { setImmediate as turn } from 'node:timers/promises';
import { settleBatch } from '../../activities/settle-batch';
import { createMemoryStore } from '../helpers/memory-store';

test('A settling that fails leaves no rollback running behind the back of the next attempt (G4).', async () => {
  const store = createMemoryStore();
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  store.beforeRollback = ({ value }) => {
    if (value === 'fails') throw new Error('no luck');
    return released;
  };
  const records = ['fails', 'slow'].map((value, index) => ({ recordId: `r:${index}`, value }));
  const batch = { batchId: 'b', openedAtMs: 0, flushReason: 'size' as const, records };
  let over = false;
  const settling = settleBatch(store, { batch, format: 'text', reason: 'terminated', atMs: 0 }, 1);
  const failed = expect(settling.finally(() => (over = true))).rejects.toThrow('no luck');
  await turn();
  expect([store.rollbacks, over]).toEqual([['r:0', 'r:1'], false]);
  release();
  await failed;
});
