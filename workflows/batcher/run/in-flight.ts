/* Children in flight: what is counted of them while they run, when they close, and when they are carried to the next run. */
import { CHILD_CLOSING, type ChildClosing } from '../../../src/contracts/workflow/activities';
import {
  PACKED_GAP,
  type BatcherCounters,
  type CarriedState,
  type InFlightChild,
  type PackedChild,
} from '../../../src/contracts/workflow/batcher';
import type { ClosedBatches } from '../../../src/contracts/workflow/child';
import { childIdOf, childSeqOf } from '../../../src/domain/records/batch';
import { KIB } from '../../../src/domain/duration';
import { jsonBytes } from '../../../src/domain/json';
import { sizeOf, type PagedBuffer } from '../../../src/domain/buffer/paged-buffer';

/** The part of a batcher's state in which every accepted record is counted. */
export interface Counted {
  counters: BatcherCounters;
  buffer: PagedBuffer;
  /** By the id of the child. */
  inFlight: Map<string, InFlightChild>;
}

/** How many batches of a child have no file yet, according to its reports. */
export function openBatches({ batches, told }: InFlightChild): number {
  return batches - (told?.batches ?? 0);
}

/** How many batches are in flight. */
export function batchesInFlight({ inFlight }: Pick<Counted, 'inFlight'>): number {
  let batches = 0;
  for (const child of inFlight.values()) batches += openBatches(child);
  return batches;
}

/** How many records are in flight: those whose children have not reported an outcome. */
export function recordsInFlight({ inFlight }: Pick<Counted, 'inFlight'>): number {
  let records = 0;
  for (const child of inFlight.values()) records += openRecords(child);
  return records;
}

function openRecords({ records, told }: InFlightChild): number {
  return records - (told?.saved ?? 0) - (told?.rolledBack ?? 0);
}

/**
 * The difference in the sum that always holds: accepted = saved + rolled back + lost + buffered + in flight. More than
 * 0 if records are missing, less than 0 if some are doubled.
 */
export function unaccountedRecords(state: Counted): number {
  const { accepted, saved, rolledBack, lost } = state.counters;
  return accepted - saved - rolledBack - lost - sizeOf(state.buffer).records - recordsInFlight(state);
}

/**
 * Releases the slots of a child and counts the outcomes.
 * @returns how many records are lost because the child's result can no longer be known
 */
export function recordClosing(state: Counted, childId: string, closing: ChildClosing | undefined): number {
  const child = state.inFlight.get(childId);
  state.inFlight.delete(childId);
  if (closing?.status === CHILD_CLOSING.completed) {
    count(state, closing, child?.told);
    return 0;
  }
  const lost = child === undefined ? 0 : openRecords(child);
  state.counters.lost += lost;
  return lost;
}

/** Releases the slots of a child's batches that have a file, and counts them. */
export function recordProgress(state: Counted, childId: string, progress: ClosedBatches): void {
  const child = state.inFlight.get(childId);
  // A late report, or one from a run that was settled since, is already counted.
  if (child === undefined || progress.batches < (child.told?.batches ?? 0)) return;
  // Our children never report this.
  if (progress.batches > child.batches) return;
  count(state, progress, child.told);
  child.told = progress;
}

/** @param before what is already counted of these */
function count({ counters }: Pick<Counted, 'counters'>, closed: ClosedBatches, before?: ClosedBatches): void {
  counters.batchesCompleted += closed.batches - (before?.batches ?? 0);
  counters.saved += closed.saved - (before?.saved ?? 0);
  counters.rolledBack += closed.rolledBack - (before?.rolledBack ?? 0);
  // The attempts of a batch that was settled from its file may be unknown.
  counters.retries += Math.max(0, closed.retries - (before?.retries ?? 0));
}

const MAX_IN_FLIGHT_BYTES = 24 * KIB;

/** Only their numbers if the ids take too much room; by then visibility lists those children with their requests. */
export function carriedInFlight(children: InFlightChild[]): Pick<CarriedState, 'inFlight' | 'inFlightSeqs'> {
  if (jsonBytes(children as never) <= MAX_IN_FLIGHT_BYTES) return { inFlight: children, inFlightSeqs: [] };
  let before = 0;
  const inFlightSeqs = children.map(({ childId, batches, records, bulk, told }): PackedChild => {
    const seq = childSeqOf(childId);
    const gap = seq - before;
    before = seq;
    if (!bulk) return PACKED_GAP * gap + records;
    if (told === undefined) return [gap, records, batches];
    return [gap, records, batches, [told.batches, told.saved, told.rolledBack, told.retries]];
  });
  return { inFlight: [], inFlightSeqs };
}

export function inFlightFrom(carried: CarriedState | undefined, batcherId: string): InFlightChild[] {
  const { inFlight = [], inFlightSeqs = [] } = carried ?? {};
  let seq = 0;
  const numbered = inFlightSeqs.map((packed): InFlightChild => {
    const bulk = typeof packed !== 'number';
    const [gap, records, batches, told] = bulk
      ? packed
      : [Math.floor(packed / PACKED_GAP), packed % PACKED_GAP, 1];
    seq += gap;
    const childId = childIdOf(batcherId, seq);
    const child = { childId, batches, records, bulk, startedAtMs: 0, requestIds: [] };
    if (told === undefined) return child;
    const [closed, saved, rolledBack, retries] = told;
    return { ...child, told: { batches: closed, saved, rolledBack, retries } };
  });
  return [...inFlight, ...numbered];
}
