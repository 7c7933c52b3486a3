import type { StatusView } from '../../src/contracts/api/answers/status';
import { MINUTE } from '../../src/domain/duration';
import { waitFor } from '../helpers/wait-for';
import type { Clients } from './clients';
import type { AttackedSystem } from './system';

const ACKNOWLEDGED_LIMIT_MS = 10 * MINUTE;
/** For what is slow, fails three times, and waits for the closing of a batch to be tried again. */
const QUIET_LIMIT_MS = 10 * MINUTE;

/**
 * Waits until every list is acknowledged and every record has left the pipeline.
 * @returns what the batchers say of themselves by then
 */
export async function untilQuiet(
  system: AttackedSystem,
  clients: Clients,
  api: string,
): Promise<StatusView['total']> {
  await Promise.all(system.all.map((one) => one.waitUntilUp()));
  // On a busy machine it takes its time, as long as it gets on.
  for (let pending = clients.pending(); pending > 0;)
    pending = await waitFor(
      'a list to be acknowledged',
      () => {
        if (clients.pending() >= pending) throw stuck(clients);
        return { now: clients.pending() };
      },
      { timeoutMs: ACKNOWLEDGED_LIMIT_MS },
    ).then(({ now }) => now);
  let settled = 0;
  for (;;) {
    const { total, moved } = await untilMoved(system.urlOf(api), settled);
    if (!moved) return total;
    settled = settledIn(total);
  }
}

/** Waits until it is quiet, or until other records have their outcome than before: a long queue may take its time. */
async function untilMoved(url: string, before: number) {
  return waitFor(
    'the pipeline to be quiet',
    async () => {
      const response = await fetch(`${url}/v1/status`);
      if (!response.ok) throw new Error(`status: ${response.status}`);
      const { total } = (await response.json()) as StatusView;
      if (total.bufferedRecords === 0 && total.inFlight === 0) return { total, moved: false };
      if (settledIn(total) !== before) return { total, moved: true };
      throw new Error(`${total.bufferedRecords} buffered, ${total.inFlight} in flight`);
    },
    { timeoutMs: QUIET_LIMIT_MS, intervalMs: 200 },
  );
}

function settledIn({ counters }: StatusView['total']): number {
  return counters.saved + counters.rolledBack;
}

function stuck({ pending, counts }: Clients): Error {
  return new Error(
    `${pending()} lists are sent again and again; answers so far: ${JSON.stringify(counts.retries)}`,
  );
}
