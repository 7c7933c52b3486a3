import {
  MAX_LOOKED_AT,
  WAITS_FOR,
  type BufferWaits,
  type TracedWaits,
  type Wait,
} from '../../../src/contracts/workflow/waits';
import { batchesThatMayGo, type Apart } from '../../../src/domain/running/running-flushes';
import {
  bySeq,
  inOrder,
  oldestRecord,
  type BufferedRecord,
  type RecordBuffer,
} from '../../../src/domain/buffer/buffer';
import type { ConflictRule } from '../../../src/domain/rules';
import { cut, isWorthCutting } from '../../../src/domain/buffer/flush-cut';
import { dueAtMs } from '../../../src/domain/buffer/flush-policy';
import { partOf } from '../../../src/domain/pace/paced-flushes';
import { STANDING, Standings } from '../../../src/domain/pace/standings';
import { oldestAcceptedAtMs, sizeOf } from '../../../src/domain/buffer/paged-buffer';
import { mayStartFromMs } from '../children/save-shape';
import { batchesInFlight } from '../run/in-flight';
import { flushPolicyOf, freeSlots, spacedUntilMs } from '../children/free-slots';
import type { BatcherState } from '../run/state';
import { heldByOf, rulesAgainst } from './delayed-by';

/** For how many records of one request waits are determined. */
const MAX_TOLD_WAITS = 1000;

/** Waits of a ready batch that take precedence over the pace. */
const BEFORE_PACE = new Set<Wait['for']>([WAITS_FOR.store, WAITS_FOR.slot, WAITS_FOR.spacing]);

/** Maximum number of delaying rules that are counted. */
const MAX_COUNTED_RULES = 20;

/**
 * What the buffered records of a request wait for, in the order of `traceOf`. Only reads the state. Takes a millisecond
 * or two with a full buffer, whatever its length.
 */
export function waitsOf(state: BatcherState, requestId: string, nowMs: number): TracedWaits {
  const { head, tail } = state.buffer;
  const waitOf = headWaits(state, (record) => record.requestId === requestId, nowMs);
  const behind = waitBehind(state);
  const inHead = [...head.full.flat(), ...head.partial.flat(), ...head.waiting]
    .filter((record) => record.requestId === requestId)
    .sort(bySeq);
  const inTail = tail.waiting.filter((record) => record.requestId === requestId);
  const waits = [...inHead.slice(0, MAX_TOLD_WAITS).map(waitOf), ...inTail.map(() => behind)];
  return { ...saidOnce(waits.slice(0, MAX_TOLD_WAITS)), inPages: behind };
}

/** What the whole buffer waits for; costs as much as {@link waitsOf}. */
export function bufferWaitsOf(state: BatcherState, nowMs: number): BufferWaits {
  const looked = new Set(firstOf(state));
  const waitOf = headWaits(state, (record) => looked.has(record), nowMs);
  const counts = new Map<string, BufferWaits['counts'][number]>();
  const byRule = new Map<ConflictRule, number>();
  const add = ({ passedOverBy = [], keptApartBy = [], ...wait }: Wait, records: number): void => {
    for (const rule of new Set([...passedOverBy, ...keptApartBy]))
      byRule.set(rule, (byRule.get(rule) ?? 0) + records);
    const known = counts.get(wait.for);
    if (known === undefined) counts.set(wait.for, { ...wait, records });
    else {
      known.records += records;
      if (JSON.stringify(known.heldBy) !== JSON.stringify(wait.heldBy)) delete known.heldBy;
      if (wait.untilMs !== undefined) known.untilMs = Math.min(known.untilMs ?? Infinity, wait.untilMs);
    }
  };
  for (const record of looked) add(waitOf(record), 1);
  const behind = sizeOf(state.buffer).records - looked.size;
  if (behind > 0) add(waitBehind(state), behind);
  const rules = [...byRule].sort(([, a], [, b]) => b - a).slice(0, MAX_COUNTED_RULES);
  return { counts: [...counts.values()], rules: rules.map(([rule, records]) => ({ rule, records })) };
}

/** The first records of the head, those that may leave first at the front. */
function firstOf({ buffer: { head } }: BatcherState): BufferedRecord[] {
  const first: BufferedRecord[] = [];
  for (const records of [...head.full, ...head.partial, head.waiting]) {
    if (first.length >= MAX_LOOKED_AT) break;
    first.push(...records.slice(0, MAX_LOOKED_AT - first.length));
  }
  return first;
}

/**
 * When the record that has been due for longest became due; null if none is due or the shard is paused. By age or
 * manually: a record whose batch is full becomes due by age if it stays.
 */
export function oldestDueAtMs(state: BatcherState, nowMs: number): number | null {
  if (state.paused !== null) return null;
  const { head, pages } = state.buffer;
  const policy = flushPolicyOf(state);
  const standings = state.pace === null ? undefined : new Standings(inOrder(head), state.pace, nowMs);
  const dueMs = state.apart === null ? oldestOfFile() : oldestThatMayGo(state.apart);
  return dueMs <= nowMs ? dueMs : null;

  function oldestOfFile(): number {
    const oldest = standings?.held
      ? inOrder(head).find((record) => standings.of(record) === STANDING.free)
      : oldestRecord(head);
    if (oldest === undefined && head.bufferedRecords > 0) return Infinity;
    if (oldest !== undefined) return dueAtMs(oldest, head, policy);
    const [page] = pages;
    const acceptedAtMs = oldestAcceptedAtMs(state.buffer) ?? Infinity;
    return acceptedAtMs + ((page?.flushOldest ?? 0) > 0 ? 0 : policy.flushIntervalMs);
  }

  /** The first batch has the oldest startable records. */
  function oldestThatMayGo(apart: Apart): number {
    for (const { records } of batchesThatMayGo(head, policy, apart, standings))
      return Math.min(...records.map((record) => dueAtMs(record, head, policy)));
    return Infinity;
  }
}

function saidOnce(waits: readonly Wait[]): Pick<TracedWaits, 'distinct' | 'of'> {
  const places = new Map<string, number>();
  const distinct: Wait[] = [];
  const of = waits.map((wait) => {
    const text = JSON.stringify(wait);
    const place = places.get(text) ?? distinct.push(wait) - 1;
    places.set(text, place);
    return place;
  });
  return { distinct, of };
}

/** The wait of records outside the head, from which batches are cut. */
function waitBehind(state: BatcherState): Wait {
  return waitForResume(state) ?? { for: WAITS_FOR.olderRecords };
}

function waitForResume({ paused }: BatcherState): Wait | undefined {
  return paused === null ? undefined : { for: WAITS_FOR.resume, by: paused.by };
}

/** What a ready batch waits for. */
function waitOfReady(state: BatcherState, nowMs: number): Wait {
  const away = state.store.status(nowMs);
  if (away?.holdsBack) return { for: WAITS_FOR.store, sinceMs: away.sinceMs, reason: away.reason };
  if (batchesInFlight(state) >= state.settings.maxInFlight) return { for: WAITS_FOR.slot };
  if (freeSlots(state, nowMs) === 0) return { for: WAITS_FOR.spacing, untilMs: spacedUntilMs(state) };
  const fromMs = mayStartFromMs(state, nowMs);
  // The workflow has the maximum number of children: one must end.
  if (fromMs === undefined) return { for: WAITS_FOR.slot };
  return fromMs > nowMs ? { for: WAITS_FOR.gathering, untilMs: fromMs } : { for: WAITS_FOR.start };
}

/** @param isWanted which records will be asked for */
function headWaits(
  state: BatcherState,
  isWanted: (record: BufferedRecord) => boolean,
  nowMs: number,
): (record: BufferedRecord) => Wait {
  const paused = waitForResume(state);
  const ready = waitOfReady(state, nowMs);
  const { pacedFromMs, roomFromMs, standings, taking } = paceOf(state, nowMs);
  const goesAt =
    state.apart === null ? goingAt(state, taking, isWanted) : goingApartAt(state, state.apart, standings);
  const heldBy = heldByOf(state, goesAt, isWanted, standings);
  const rulesOf = rulesAgainst(state);
  return (record) => {
    const rules = rulesOf(record);
    if (paused !== undefined) return { ...paused, ...rules };
    const pacedMs = pacedFromMs(record);
    if (pacedMs !== undefined) return { ...waitOfPaced(state, record, pacedMs), ...rules };
    const dueMs = goesAt(record);
    if (dueMs === undefined) return { for: WAITS_FOR.conflict, ...heldBy(record), ...rules };
    if (dueMs > nowMs) return { for: WAITS_FOR.age, untilMs: dueMs, ...rules };
    const fromMs = BEFORE_PACE.has(ready.for) ? nowMs : roomFromMs(record);
    return fromMs > nowMs ? { for: WAITS_FOR.pace, untilMs: fromMs, ...rules } : { ...ready, ...rules };
  };
}

/** What `MAX_SAVES_PER_SECOND` means for the records of the head. */
interface PaceOfHead {
  /** The earliest time at which the rate of its value lets a record start; undefined if it does so now. */
  pacedFromMs(record: BufferedRecord): number | undefined;
  /** The earliest time at which the rate for all records lets it start, after all older ones that are free to start. */
  roomFromMs(record: BufferedRecord): number;
  standings?: Standings;
  /** The records that batches are cut from. */
  taking: RecordBuffer;
}

function paceOf(state: BatcherState, nowMs: number): PaceOfHead {
  const { pace, apart } = state;
  const { head } = state.buffer;
  if (pace === null) return { pacedFromMs: () => undefined, roomFromMs: () => -Infinity, taking: head };
  const records = inOrder(head);
  const standings = new Standings(records, pace, nowMs);
  const free = records.filter((record) => standings.of(record) === STANDING.free);
  const places = new Map(free.map((record, place) => [record, place + 1]));
  const policy = flushPolicyOf(state);
  // Batches start as a whole.
  const least = Math.min(policy.maxBatchSize, free.length);
  const { taking } = partOf(head, policy, pace, nowMs);
  if (apart === null && taking !== head && isWorthCutting(taking, policy, false, Infinity))
    cut(taking, policy);
  return {
    pacedFromMs: (record) => standings.fromMs(record),
    roomFromMs: (record) => pace.roomFromMs(Math.max(least, places.get(record) ?? 0)),
    standings,
    taking,
  };
}

/** The later of pace and age; the other is over by then. */
function waitOfPaced(state: BatcherState, record: BufferedRecord, pacedMs: number): Wait {
  const dueMs = dueAtMs(record, state.buffer.head, flushPolicyOf(state));
  return pacedMs >= dueMs
    ? { for: WAITS_FOR.pace, untilMs: pacedMs }
    : { for: WAITS_FOR.age, untilMs: dueMs };
}

/**
 * When the batch of a record leaves, as far as is known: at its own due time, or at an earlier one of another record in
 * the batch.
 */
function goingAt(
  state: BatcherState,
  head: RecordBuffer,
  isWanted: (record: BufferedRecord) => boolean,
): (record: BufferedRecord) => number {
  const policy = flushPolicyOf(state);
  // Uncut records may contain full batches that were not cut because there was no slot.
  const mayBeFull = isWorthCutting(head, policy, false, Infinity);
  const full = new Set(head.full.flat().filter(isWanted));
  const dueInPartial = new Map<BufferedRecord, number>();
  for (const batch of head.partial) {
    if (!batch.some(isWanted)) continue;
    const dueMs = Math.min(...batch.map((record) => dueAtMs(record, head, policy)));
    for (const record of batch) dueInPartial.set(record, dueMs);
  }
  return (record) => {
    if (mayBeFull || full.has(record)) return -Infinity;
    return dueInPartial.get(record) ?? dueAtMs(record, head, policy);
  };
}

/** The same in scope `running`; undefined for a record that may not start, however old it is. */
function goingApartAt(
  state: BatcherState,
  apart: Apart,
  standings: Standings | undefined,
): (record: BufferedRecord) => number | undefined {
  const { head } = state.buffer;
  const policy = flushPolicyOf(state);
  const going = new Map<BufferedRecord, number>();
  for (const { records, isFull } of batchesThatMayGo(head, policy, apart, standings)) {
    const dueMs = isFull ? -Infinity : Math.min(...records.map((record) => dueAtMs(record, head, policy)));
    for (const record of records) going.set(record, dueMs);
  }
  return (record) => going.get(record);
}
