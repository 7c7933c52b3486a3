import { setTimeout as sleep } from 'node:timers/promises';
import type { KeepapartClient } from '../../../client';
import type { RecordView } from '../../../contracts/api/answers/requests';
import { RECORD_STATE } from '../../../contracts/api/states';
import type { JsonValue } from '../../../domain/json';
import { MINUTE } from '../../../domain/duration';

/** One record of the demo, as it was last seen. */
export interface FollowedRecord {
  /** From 1. */
  client: number;
  value: JsonValue;
  view: RecordView;
}

const LOOK_EVERY_MS = 150;
const GIVE_UP_AFTER_MS = 5 * MINUTE;

/** Sends each list by a client of its own, all at once, and follows every record to its outcome. */
export async function sendAndFollow(
  api: KeepapartClient,
  lists: readonly JsonValue[][],
  show: (records: readonly FollowedRecord[]) => void,
): Promise<FollowedRecord[]> {
  const sent = await Promise.all(lists.map((list) => api.send(list)));
  const deadline = Date.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const views = await Promise.all(sent.map(({ requestId }) => api.request(requestId)));
    const records = sent.flatMap((answer, client) =>
      answer.records.flatMap(({ value }, index) => {
        const view = views[client]?.records[index];
        return view === undefined ? [] : [{ client: client + 1, value, view }];
      }),
    );
    show(records);
    if (records.every(({ view }) => hasEnded(view))) return records;
    if (Date.now() > deadline) throw new Error('the records have not come to their ends within five minutes');
    await sleep(LOOK_EVERY_MS);
  }
}

function hasEnded({ state }: RecordView): boolean {
  return state === RECORD_STATE.saved || state === RECORD_STATE.rolledBack;
}
