import { SECOND } from '../../domain/duration';
import { clock, count, counted, duration } from '../../domain/format';
import { WAITS_FOR, type WaitsFor } from '../workflow/waits';
import type { Point } from './answers/live';
import { meanOf, type Reading } from './live-points';
import type { WaitsView } from './answers/requests';
import type { ShardView } from './answers/status';

/** How it is, from nothing to do up to what somebody has to see to. */
export type Mood = 'idle' | 'well' | 'busy' | 'held' | 'wrong';

/** What the first screen says: how it is in one or two words, why, and what would help. */
export interface Sentence {
  mood: Mood;
  /** `Well`, `Held up`. */
  head: string;
  /** The rest of the sentence, without a full stop. */
  text: string;
}

/** Beyond the flush interval a record may wait this long before its age is worth a word. */
const LATE_MS = 5 * SECOND;
/** Rates are of this long. */
const RATE_MS = 60 * SECOND;

/** As long as the buffer was full a moment ago, it is. */
const FULL_MS = 10 * SECOND;

/**
 * The one sentence, with the cause first: what {@link causeOf} says, and whether clients are refused because of it, as the
 * buffer is full. Only the process that refuses them knows.
 */
export function sentenceOf(
  reading: Reading,
  points: readonly Point[],
  waits: WaitsView = { shards: [] },
): Sentence {
  const cause = causeOf(reading, points, waits);
  const sinceMs = reading.atMs - FULL_MS;
  const isFull = points.some(({ atMs, refused }) => atMs > sinceMs && (refused['buffer-full'] ?? 0) > 0);
  if (!isFull) return cause;
  const isCaused = cause.mood === 'held' || cause.mood === 'wrong';
  return {
    mood: isCaused ? cause.mood : 'held',
    head: isCaused ? cause.head : 'Buffer full',
    text: `${cause.text.replace(STILL_ACCEPTED, '')}; the buffer is full, so new records are refused`,
  };
}

const STILL_ACCEPTED = ', new ones are still accepted';

/**
 * How it is. The first that applies: records are unaccounted for, the store is away, somebody has paused it, a worker
 * reports that the store is away and records are late, batches are at their bound, most late records wait for one thing, the oldest record is late, all is well, nothing is
 * there.
 */
function causeOf(reading: Reading, points: readonly Point[], waits: WaitsView): Sentence {
  const { status } = reading;
  const { total, settings, shards } = status;
  const buffered = counted(total.bufferedRecords, 'record');
  if (total.unaccounted !== 0)
    return {
      mood: 'wrong',
      head: 'Wrong',
      text: `${counted(Math.abs(total.unaccounted), 'record')} can’t be accounted for; this is a bug, run an audit`,
    };
  const away = shards.find(({ storeAway }) => storeAway?.holdsBack === true)?.storeAway;
  if (away)
    return {
      mood: 'wrong',
      head: 'Store away',
      text: `since ${clock(away.since)}: ${away.reason}; ${buffered} wait, none is lost`,
    };
  const paused = shards.filter((shard) => shard.paused !== null);
  if (paused.length > 0)
    return { mood: 'held', head: 'Paused', text: pausedText(paused, shards.length, buffered) };

  const age = total.oldestAgeMs ?? 0;
  const isLate = age > settings.flushIntervalMs + LATE_MS;
  // One batch that closed a moment ago lets others start; that they wait has its cause in the store all the same.
  const reported = shards.find(({ storeAway }) => storeAway !== null)?.storeAway;
  if (reported && isLate)
    return {
      mood: 'held',
      head: 'Store away',
      text: `for ${counted(reported.workers, 'worker')} since ${clock(reported.since)}: ${reported.reason}; ${buffered} wait, none is lost`,
    };
  const bound = settings.maxInFlight * shards.length;
  if (total.inFlight >= bound && isLate)
    return {
      mood: 'held',
      head: 'Held up',
      text: `${buffered} wait for a slot; ${count(total.inFlight)} of ${count(bound)} batches in flight, ${slowSave(points)}the oldest record is ${duration(age)} old`,
    };
  const held = isLate ? mainHold(waits) : undefined;
  if (held)
    return {
      mood: 'held',
      head: 'Held up',
      text: `${counted(held.records, 'record')} of ${count(total.bufferedRecords)} wait for ${HOLDS[held.for]}; the oldest record is ${duration(age)} old`,
    };
  const failing = meanOf(points, 'rolledBack', RATE_MS) ?? 0;
  const saved = meanOf(points, 'saved', RATE_MS) ?? 0;
  if (failing > 0 && failing >= saved)
    return {
      mood: 'wrong',
      head: 'Failing',
      text: `${count(failing * 60)} records a minute are rolled back and ${count(saved * 60)} saved`,
    };
  if (isLate)
    return {
      mood: 'busy',
      head: 'Behind',
      text: `the oldest of ${buffered} has waited ${duration(age)}; ${perMinute(saved)}`,
    };
  if (total.bufferedRecords + total.inFlightRecords === 0 && saved === 0)
    return {
      mood: 'idle',
      head: total.counters.accepted === 0 ? 'Ready' : 'Idle',
      text:
        total.counters.accepted === 0
          ? 'nothing has been sent yet'
          : `nothing waits; ${counted(total.counters.saved, 'record')} saved, ${count(total.counters.rolledBack)} rolled back so far`,
    };
  const rolled = failing > 0 ? `, ${count(failing * 60)} rolled back` : '';
  const oldest = total.oldestAgeMs === null ? 'nothing waits' : `oldest record ${duration(age)}`;
  return { mood: 'well', head: 'Well', text: `${perMinute(saved)}${rolled}, ${oldest}` };
}

/** What keeps records back that are late, besides what the sentence says before. */
const HOLDS: Partial<Record<WaitsFor, string>> = {
  [WAITS_FOR.conflict]: 'what they conflict with, in flight or just ended',
  [WAITS_FOR.spacing]: 'BATCH_SPACING_MS to be over',
  [WAITS_FOR.slot]: 'a slot',
  [WAITS_FOR.store]: 'the store, which is away',
};

/** What most of the records that are looked at wait for, if it is one of {@link HOLDS}. */
function mainHold({ shards }: WaitsView): { for: WaitsFor; records: number } | undefined {
  const records = new Map<WaitsFor, number>();
  for (const { waits } of shards)
    for (const wait of waits) records.set(wait.for, (records.get(wait.for) ?? 0) + wait.records);
  records.delete(WAITS_FOR.olderRecords);
  const [most] = [...records].sort(([, a], [, b]) => b - a);
  return most !== undefined && HOLDS[most[0]] !== undefined ? { for: most[0], records: most[1] } : undefined;
}

/** Saves that take a second or more explain a lack of slots. */
function slowSave(points: readonly Point[]): string {
  const p50 = points.findLast(({ save }) => save !== null)?.save?.p50 ?? 0;
  return p50 >= SECOND ? `a save takes ${duration(p50)}, ` : '';
}

function perMinute(perSecond: number): string {
  return `${count(Math.round(perSecond * 60))} records a minute`;
}

function pausedText(paused: readonly ShardView[], shards: number, buffered: string): string {
  const [first] = paused;
  const by = first?.paused ? `by ${first.paused.by} since ${clock(first.paused.atMs)}` : '';
  const where = paused.length < shards ? ` in ${count(paused.length)} of ${counted(shards, 'shard')}` : '';
  return `${by}${where}; ${buffered} wait${STILL_ACCEPTED}`;
}
