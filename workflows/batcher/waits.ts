import { WAITS_FOR, type TracedWaits, type Wait } from '../../src/contracts/waits';
import { ruleIndexOf } from '../../src/domain/apart/rule-index';
import { batchesThatMayGo, type Apart } from '../../src/domain/apart/running-flushes';
import { bySeq, type BufferedRecord } from '../../src/domain/buffer';
import type { ConflictRule } from '../../src/domain/conflict-rules';
import { noteReach, rulesBeyond, type Reaches } from '../../src/domain/explain/passed-over';
import { isWorthCutting } from '../../src/domain/flush-cut';
import { dueAtMs } from '../../src/domain/flush-policy';
import { mayStartFromMs } from './save-shape';
import { batchesInFlight } from './in-flight';
import { flushPolicyOf, freeSlots, spacedUntilMs } from './pacing';
import type { BatcherState } from './state';

/** Of so many records of one request it is told what they wait for. */
const MAX_TOLD_WAITS = 1000;

/** So many records of the buffer are held against them, those that may go first before others. */
const MAX_LOOKED_AT = 1000;

/** Of each list of rules. */
const MAX_TOLD_RULES = 10;

/**
 * What the buffered records of a request wait for, in the order of `traceOf`. For a query: reads the state alone. With
 * much else buffered it costs a millisecond or two, whatever the length of the buffer.
 */
export function waitsOf(state: BatcherState, requestId: string, nowMs: number): TracedWaits {
  const { head, tail } = state.buffer;
  const waitOf = headWaits(state, requestId, nowMs);
  const behind = waitBehind(state);
  const inHead = [...head.full.flat(), ...head.partial.flat(), ...head.waiting]
    .filter((record) => record.requestId === requestId)
    .sort(bySeq);
  const inTail = tail.waiting.filter((record) => record.requestId === requestId);
  const waits = [...inHead.slice(0, MAX_TOLD_WAITS).map(waitOf), ...inTail.map(() => behind)];
  return { ...saidOnce(waits.slice(0, MAX_TOLD_WAITS)), inPages: behind };
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

/** What is not in the head is not cut before it gets there. */
function waitBehind(state: BatcherState): Wait {
  return waitForResume(state) ?? { for: WAITS_FOR.olderRecords };
}

function waitForResume({ paused }: BatcherState): Wait | undefined {
  return paused === null ? undefined : { for: WAITS_FOR.resume, by: paused.by };
}

/** What keeps a batch from starting that may go. */
function waitOfReady(state: BatcherState, nowMs: number): Wait {
  const away = state.store.status(nowMs);
  if (away?.holdsBack) return { for: WAITS_FOR.store, sinceMs: away.sinceMs, reason: away.reason };
  if (batchesInFlight(state) >= state.settings.maxInFlight) return { for: WAITS_FOR.slot };
  if (freeSlots(state, nowMs) === 0) return { for: WAITS_FOR.spacing, untilMs: spacedUntilMs(state) };
  const fromMs = mayStartFromMs(state, nowMs);
  // As many children as a workflow may have: one has to end.
  if (fromMs === undefined) return { for: WAITS_FOR.slot };
  return fromMs > nowMs ? { for: WAITS_FOR.gathering, untilMs: fromMs } : { for: WAITS_FOR.start };
}

function headWaits(state: BatcherState, requestId: string, nowMs: number): (record: BufferedRecord) => Wait {
  const paused = waitForResume(state);
  const ready = waitOfReady(state, nowMs);
  const goesAt = state.apart === null ? goingAt(state, requestId) : goingApartAt(state, state.apart);
  const rulesOf = rulesAgainst(state);
  return (record) => {
    const rules = rulesOf(record);
    if (paused !== undefined) return { ...paused, ...rules };
    const dueMs = goesAt(record);
    if (dueMs === undefined) return { for: WAITS_FOR.conflict, ...rules };
    return dueMs <= nowMs ? { ...ready, ...rules } : { for: WAITS_FOR.age, untilMs: dueMs, ...rules };
  };
}

/** When the batch of a record goes, as far as it is known: its own time, or an earlier one of another that is in it. */
function goingAt(state: BatcherState, requestId: string): (record: BufferedRecord) => number {
  const { head } = state.buffer;
  const policy = flushPolicyOf(state);
  // What has not been cut may hold full batches: it has not been as there was no place for one.
  const mayBeFull = isWorthCutting(head, policy, false, Infinity);
  const full = new Set(head.full.flat().filter((record) => record.requestId === requestId));
  const dueInPartial = new Map<BufferedRecord, number>();
  for (const batch of head.partial) {
    if (!batch.some((record) => record.requestId === requestId)) continue;
    const dueMs = Math.min(...batch.map((record) => dueAtMs(record, head, policy)));
    for (const record of batch) dueInPartial.set(record, dueMs);
  }
  return (record) => {
    if (mayBeFull || full.has(record)) return -Infinity;
    return dueInPartial.get(record) ?? dueAtMs(record, head, policy);
  };
}

/** The same in scope `running`; undefined for a record that may not go, however old it is. */
function goingApartAt(state: BatcherState, apart: Apart): (record: BufferedRecord) => number | undefined {
  const { head } = state.buffer;
  const policy = flushPolicyOf(state);
  const going = new Map<BufferedRecord, number>();
  for (const { records, isFull } of batchesThatMayGo(head, policy, apart)) {
    const dueMs = isFull ? -Infinity : Math.min(...records.map((record) => dueAtMs(record, head, policy)));
    for (const record of records) going.set(record, dueMs);
  }
  return (record) => going.get(record);
}

/** The rules that matter to a record: what they kept it out of, and what they keep it apart from. */
function rulesAgainst({
  buffer: { head },
  reaches,
  settings: { conflicts },
}: BatcherState): (record: BufferedRecord) => Pick<Wait, 'passedOverBy' | 'keptApartBy'> {
  const index = ruleIndexOf(conflicts);
  // The other way round than batches reach: how far back in the order of acceptance there is something at a place.
  const older: Reaches = new Map();
  let lookedAt = 0;
  for (const records of [...head.partial, head.waiting, ...head.full]) {
    for (const { value, seq } of records.slice(0, MAX_LOOKED_AT - lookedAt)) {
      noteReach(older, index.placesOf(value), -seq);
      lookedAt++;
    }
    if (lookedAt >= MAX_LOOKED_AT) break;
  }
  return ({ value, seq }) => {
    const places = index.placesOf(value);
    const passedOverBy = rulesAt(conflicts, rulesBeyond(reaches, places, seq));
    const keptApartBy = rulesAt(conflicts, rulesBeyond(older, places, -seq));
    return {
      ...(passedOverBy.length > 0 && { passedOverBy }),
      ...(keptApartBy.length > 0 && { keptApartBy }),
    };
  };
}

function rulesAt(rules: readonly ConflictRule[], places: readonly number[]): ConflictRule[] {
  return places.slice(0, MAX_TOLD_RULES).flatMap((place) => rules[place] ?? []);
}
