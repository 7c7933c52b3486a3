import type { Client } from '@temporalio/client';
import type { HeldByChild, RecordRun } from '../../contracts/workflow/activities';
import type { ChildInput } from '../../contracts/workflow/child';
import { inputIfKnown } from '../server/history';

/** What a child holds, from its input. */
export function heldIn({ batches, bulk }: ChildInput): HeldByChild {
  const records = batches.flatMap((batch) =>
    batch.records.map(([requestId, first, values]): RecordRun => [requestId, first, values.length]),
  );
  return { batches: batches.length, bulk: bulk !== undefined, records };
}

/** What a child holds; nothing if the server doesn't know it. */
export async function readChild(client: Client, childId: string): Promise<HeldByChild> {
  const input = (await inputIfKnown(client, childId)) as ChildInput | undefined;
  return input === undefined ? { batches: 0, bulk: false, records: [] } : heldIn(input);
}
