import { defaultPayloadConverter } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type {
  Activities,
  CloseBatchesInput,
  CloseBatchesResult,
  SettleBatchInput,
  SettleBatchResult,
} from '../../contracts/workflow/activities';
import { outcomeOf } from '../../domain/records/outcome';
import { unpackBatch, unpackOutcomes } from '../../domain/records/packed-batch';
import type { BatchResult } from './batch-reader';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** Every batch that the activities in a history have closed, with its outcomes. */
export function* closedIn(events: readonly HistoryEvent[]): Generator<[batchId: string, BatchResult]> {
  const scheduled = new Map(events.map((event) => [String(event.eventId), event]));
  for (const { activityTaskCompletedEventAttributes: completed } of events) {
    const attributes = scheduled.get(
      String(completed?.scheduledEventId),
    )?.activityTaskScheduledEventAttributes;
    const type = attributes?.activityType?.name as keyof Activities | undefined;
    if (type === 'closeBatches') {
      const { batches, kinds } = firstOf(attributes?.input) as CloseBatchesInput;
      const results = (firstOf(completed?.result) as CloseBatchesResult).batches;
      const of = batches.map(({ outcomes }) => outcomes);
      for (const [i, { batchId, records }] of batches.entries()) {
        const result = results[i];
        if (result === undefined || !('location' in result)) continue;
        const outcomes = unpackOutcomes({ kinds, of }, i, unpackBatch(records));
        yield [batchId, { location: result.location, outcomes: outcomes.map(outcomeOf) }];
      }
    } else if (type === 'settleBatch') {
      const { batch } = firstOf(attributes?.input) as SettleBatchInput;
      yield [batch.batchId, firstOf(completed?.result) as SettleBatchResult];
    }
  }
}

function firstOf(payloads: Payloads): unknown {
  const payload = payloads?.payloads?.[0];
  if (payload == null) throw new TypeError('an event without its payload');
  return defaultPayloadConverter.fromPayload(payload);
}
