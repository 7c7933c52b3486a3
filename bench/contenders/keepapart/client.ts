import { KeepapartClient } from '../../../src/client';
import type { ContenderClient } from '../work/run-client';
import type { BenchRecord, Work } from '../work/work';

export function connect({ server }: Work): Promise<ContenderClient> {
  const client = new KeepapartClient({ url: server });
  return Promise.resolve({
    send: (records: BenchRecord[], listId: string) => client.send(records, { idempotencyKey: listId }),
  });
}
