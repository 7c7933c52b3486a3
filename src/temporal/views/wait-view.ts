import type { WaitView } from '../../contracts/api/answers/requests';
import { WAITS_FOR, type HeldBy, type Wait } from '../../contracts/workflow/waits';

/** What a record waits for, as the API shows it, with a sentence for people. */
export function waitView(wait: Wait): WaitView {
  const { untilMs, sinceMs, heldBy, ...rest } = wait;
  const [until, since] = [untilMs, sinceMs].map((ms) =>
    ms === undefined ? undefined : new Date(ms).toISOString(),
  );
  return {
    text: describeWait(wait, until, since),
    ...rest,
    ...(heldBy !== undefined && { heldBy: heldByView(heldBy) }),
    ...(until !== undefined && { until }),
    ...(since !== undefined && { since }),
  };
}

function describeWait(wait: Wait, until = 'some time', since = 'some time'): string {
  switch (wait.for) {
    case WAITS_FOR.resume:
      return `the shard to be resumed: ${wait.by ?? 'somebody'} paused it`;
    case WAITS_FOR.olderRecords:
      return 'older records that are ahead of it in the buffer';
    case WAITS_FOR.conflict:
      return wait.heldBy === undefined
        ? 'a conflicting record: one in flight, one that ended less than APART_MS ago, or an older one that goes first'
        : describeConflict(wait.heldBy, wait.untilMs === undefined ? undefined : until);
    case WAITS_FOR.age:
      return `enough records to fill its batch, until ${until} at most`;
    case WAITS_FOR.store:
      return `the store, unavailable since ${since}: ${wait.reason}`;
    case WAITS_FOR.slot:
      return 'a batch to close, because MAX_IN_FLIGHT batches are in flight';
    case WAITS_FOR.spacing:
      return `BATCH_SPACING_MS to pass, at ${until}`;
    case WAITS_FOR.pace:
      return `MAX_SAVES_PER_SECOND to let it start, at ${until} at the earliest`;
    case WAITS_FOR.gathering:
      return `more batches to be saved together, until ${until} at most`;
    case WAITS_FOR.start:
      return 'older batches that are being started';
  }
}

function heldByView({ rule, childId, recordId }: HeldBy): NonNullable<WaitView['heldBy']> {
  return {
    ...(rule !== undefined && { rule }),
    ...(childId !== undefined && { batchId: childId }),
    ...(recordId !== undefined && { recordId }),
  };
}

/** @param until when `APART_MS` after the end of the batch is over; undefined while the batch is in flight */
function describeConflict({ rule, childId, recordId }: HeldBy, until: string | undefined): string {
  const what = recordId === undefined ? 'one of its records' : `record ${recordId}`;
  const why =
    rule === undefined ? 'it started under other rules' : `${JSON.stringify(rule)} keeps them apart`;
  const batch = childId === undefined ? 'a batch' : `batch ${childId}`;
  if (childId === undefined && until === undefined) return `${what}, which is older and goes first: ${why}`;
  const conflict = rule === undefined ? why : `it conflicts with ${what}, as ${why}`;
  if (until !== undefined) return `APART_MS after the end of ${batch}, until ${until}: ${conflict}`;
  return `${batch} to close: ${conflict}`;
}
