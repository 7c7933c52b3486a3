import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE } from '../../src/domain/duration';
import type { Carried, FaultContext } from './faults';
import { APIS, WORKERS } from './fault-kinds';
import { comes } from './moments';

/*
 * What is away for a while, or comes back different: workers, the number of shards, the server of the store.
 */

/** Nobody works, while clients go on. */
export async function keepWorkersAway(forMs: number, { system, clients }: FaultContext): Promise<Carried> {
  const workers = WORKERS.map((name) => system.get(name));
  const refused = () => clients.counts.retries['429'] ?? 0;
  const before = { refused: refused(), acknowledged: clients.counts.acknowledgedRecords };
  for (const worker of workers) worker.hold();
  for (const worker of workers) worker.signal('SIGKILL');
  await sleep(forMs);
  const note =
    `${clients.counts.acknowledgedRecords - before.acknowledged} records acknowledged meanwhile, ` +
    `${refused() - before.refused} lists refused`;
  for (const worker of workers) worker.letGo();
  return { note };
}

/** As in a rolling restart: for a while the APIs don't agree. */
export async function changeShards(to: number, { system }: FaultContext): Promise<Carried> {
  system.setShards(to);
  for (let shard = 1; shard < to; shard++) await comes(() => system.startBatcher(shard).then(() => true));
  for (const name of APIS) {
    const api = system.get(name);
    await comes(() => api.up);
    const starts = api.startsAtMs.length;
    api.change({ KEEPAPART_SHARDS: String(to) });
    api.signal('SIGTERM');
    await comes(() => api.up && api.startsAtMs.length > starts, undefined, MINUTE);
  }
  return { note: `${APIS.length} APIs started again, one after the other` };
}

export async function stopStore(forMs: number, { backEnd }: FaultContext): Promise<Carried> {
  const { postgres, server } = backEnd;
  await (postgres === undefined ? server?.kill() : postgres.stop());
  await sleep(forMs);
  await server?.start();
  return { note: 'and started again' };
}

export async function killStore({ backEnd }: FaultContext): Promise<Carried> {
  await backEnd.server?.kill();
  await backEnd.server?.start();
  return { note: 'all of its processes, and started again' };
}

/** It answers, and can't be written to: after a failover that went to it too early, or away from it. */
export async function demotePostgres(
  how: 'standby' | 'read-only',
  forMs: number,
  { backEnd: { postgres } }: FaultContext,
): Promise<Carried> {
  if (postgres === undefined) return { note: 'there is no Postgres' };
  if (how === 'standby') {
    await postgres.stop();
    await postgres.start({ asStandby: true });
    await sleep(forMs);
    await postgres.query('SELECT pg_promote()');
    return { note: 'and promoted' };
  }
  const setReadOnly = async (value: string) => {
    await postgres.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
    await postgres.query('SELECT pg_reload_conf()');
  };
  await setReadOnly('on');
  await sleep(forMs);
  await setReadOnly('off');
  return { note: 'and written to again' };
}
