import type {
  Activities,
  CloseBatchesInput,
  CloseBatchesResult,
  SettleBatchInput,
  SettleBatchResult,
} from '../../contracts/workflow/activities';
import { outcomeOf } from '../../domain/records/outcome';
import { unpackBatch, unpackOutcomes } from '../../domain/records/packed-batch';
import { firstValue, type HistoryEvent } from '../server/history';
import type { BatchResult } from './batch-reader';

/** Every batch that activities in this history have closed, with its outcomes. */
export function* closedIn(events: readonly HistoryEvent[]): Generator<[batchId: string, BatchResult]> {
  const scheduled = new Map(events.map((event) => [String(event.eventId), event]));
  for (const { activityTaskCompletedEventAttributes: completed } of events) {
    const attributes = scheduled.get(
      String(completed?.scheduledEventId),
    )?.activityTaskScheduledEventAttributes;
    const type = attributes?.activityType?.name as keyof Activities | undefined;
    if (type === 'closeBatches') {
      const { batches, kinds } = firstValue(attributes?.input) as CloseBatchesInput;
      const results = (firstValue(completed?.result) as CloseBatchesResult).batches;
      const of = batches.map(({ outcomes }) => outcomes);
      for (const [i, { batchId, records }] of batches.entries()) {
        const result = results[i];
        if (result === undefined || !('location' in result)) continue;
        const outcomes = unpackOutcomes({ kinds, of }, i, unpackBatch(records));
        yield [batchId, { location: result.location, outcomes: outcomes.map(outcomeOf) }];
      }
    } else if (type === 'settleBatch') {
      const { batch } = firstValue(attributes?.input) as SettleBatchInput;
      yield [batch.batchId, firstValue(completed?.result) as SettleBatchResult];
    }
  }
}
