import { KeepapartClient } from '../../../src/client';
import type { ContenderClient } from '../work/run-client';
import type { BenchRecord, Work } from '../work/work';

/** Each list has an Idempotency-Key; of the kind `no keys` it is a plain POST, as curl sends it. */
export function connect({ server, kind }: Work): Promise<ContenderClient> {
  const client = new KeepapartClient({ url: server });
  return Promise.resolve({
    send: (records: BenchRecord[], listId: string) =>
      kind === 'no keys' ? post(server, records) : client.send(records, { idempotencyKey: listId }),
  });
}

async function post(server: string, records: BenchRecord[]): Promise<void> {
  const answer = await fetch(`${server}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(records),
  });
  const text = await answer.text();
  if (answer.status !== 202) throw new Error(`${answer.status}: ${text}`);
}
