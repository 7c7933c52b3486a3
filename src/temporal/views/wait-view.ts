import type { WaitView } from '../../contracts/api/views';
import { WAITS_FOR, type Wait } from '../../contracts/workflow/waits';

/** What a record waits for as it is told, in plain words as well. */
export function waitView(wait: Wait): WaitView {
  const { untilMs, sinceMs, ...told } = wait;
  const [until, since] = [untilMs, sinceMs].map((ms) =>
    ms === undefined ? undefined : new Date(ms).toISOString(),
  );
  return {
    text: tell(wait, until, since),
    ...told,
    ...(until !== undefined && { until }),
    ...(since !== undefined && { since }),
  };
}

function tell(wait: Wait, until = 'some time', since = 'some time'): string {
  switch (wait.for) {
    case WAITS_FOR.resume:
      return `the shard to be resumed: ${wait.by ?? 'somebody'} has paused it`;
    case WAITS_FOR.olderRecords:
      return 'older records, of which so many are buffered that this one waits behind them';
    case WAITS_FOR.conflict:
      return 'what it conflicts with: in flight, ended less than APART_MS ago, or older and first in turn';
    case WAITS_FOR.age:
      return `enough records to fill its batch, until ${until} at most`;
    case WAITS_FOR.store:
      return `the store, which is away since ${since}: ${wait.reason}`;
    case WAITS_FOR.slot:
      return 'a batch to close: as many are in flight as MAX_IN_FLIGHT allows';
    case WAITS_FOR.spacing:
      return `BATCH_SPACING_MS to be over, at ${until}`;
    case WAITS_FOR.pace:
      return `MAX_SAVES_PER_SECOND to let it start, at ${until} at the earliest`;
    case WAITS_FOR.gathering:
      return `others to be saved in bulk with, until ${until} at most`;
    case WAITS_FOR.start:
      return 'older batches whose start is under way';
  }
}
