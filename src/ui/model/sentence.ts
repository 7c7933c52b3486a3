import type { ShardView } from '../../contracts/api/views';
import { SECOND } from '../../domain/duration';
import { clock, count, counted, duration } from './format';
import { meanOf, type Point, type Reading } from './history';

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

/**
 * The one sentence. The first that applies: records are unaccounted for, the store is away, somebody has paused it,
 * batches are at their bound, the oldest record is late, all is well, nothing is there.
 */
export function sentenceOf(reading: Reading, points: readonly Point[]): Sentence {
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
  const bound = settings.maxInFlight * shards.length;
  if (total.inFlight >= bound && isLate)
    return {
      mood: 'held',
      head: 'Held up',
      text: `${buffered} wait for a slot; ${count(total.inFlight)} of ${count(bound)} batches in flight, the oldest record is ${duration(age)} old`,
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

function perMinute(perSecond: number): string {
  return `${count(Math.round(perSecond * 60))} records a minute`;
}

function pausedText(paused: readonly ShardView[], shards: number, buffered: string): string {
  const [first] = paused;
  const by = first?.paused ? `by ${first.paused.by} since ${clock(first.paused.atMs)}` : '';
  const where = paused.length < shards ? ` in ${count(paused.length)} of ${counted(shards, 'shard')}` : '';
  return `${by}${where}; ${buffered} wait, new ones are still accepted`;
}
