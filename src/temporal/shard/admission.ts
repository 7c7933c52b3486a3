import { setTimeout as sleep } from 'node:timers/promises';
import type { BatcherStatus } from '../../contracts/workflow/batcher';
import { SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { jsonBytes, type JsonValue } from '../../domain/json';
import { createDrainRate } from './drain-rate';

export interface AdmissionLimits {
  /** Per shard. */
  maxBufferedRecords: number;
  maxBufferedBytes: number;
}

/** Records that one or more requests add to a buffer. Bytes are the sum of {@link jsonBytes} of the values. */
export interface Load {
  records: number;
  bytes: number;
}

/** The share of the bound that one process may add to a shard beyond what the batcher last reported. */
export const UNSEEN_SHARE = 1 / 8;

/** From this part of that share on, a process asks in advance, so that nobody waits for the answer. */
const ASK_EARLY = 1 / 2;

/** How long to wait for the answer if the process's own count would admit the request. */
const ANSWER_WITHIN_MS = 1 * SECOND;

/** While an answer is younger than this and certain, it refuses requests without asking again. */
const FRESH_FOR_MS = 100;

/**
 * Keeps the buffer of one shard within its bounds (G6): `admit` sends a request, or throws `buffer-full`. Errors of `send`
 * are passed on, and so are errors of `readStatus` if the decision depends on it.
 *
 * It adds what this process has sent since it last asked the batcher to what the batcher reported. A buffer only shrinks by
 * itself, so this sum is never too low for this process. Other processes show up in the batcher's answers: a process adds
 * at most {@link UNSEEN_SHARE} of the bound, or one request, before it waits for the next answer. So n processes exceed
 * the bound by at most n eighths, or by n requests if those are larger. If no worker answers, each process relies on its
 * own count, because records must be accepted without a worker: n processes can then fill the buffer n times.
 * @param now milliseconds of a monotonic clock
 */
export function createAdmission(
  limits: AdmissionLimits,
  readStatus: () => Promise<BatcherStatus>,
  now: () => number = () => performance.now(),
) {
  const drainRate = createDrainRate();
  /** What the batcher last reported; undefined before its first answer. */
  let known: { held: Load; atMs: number; isDoubtful: boolean } | undefined;
  /** Being sent: the next answer may or may not include it. */
  let pending: Load = NOTHING;
  /** Sent since the last question. A question from now on includes it, because it is ordered after every earlier message. */
  let sent: Load = NOTHING;
  let asking: Promise<void> | undefined;
  /** Whether the last question got no answer. */
  let silent = false;

  function held(): Load {
    return plus(known?.held ?? NOTHING, plus(pending, sent));
  }

  function fits(load: Load): boolean {
    return isWithin(plus(held(), load), 1);
  }

  /** Whether the load can be added before the batcher has to report what other processes sent. */
  function isWithinShare(load: Load, part: number): boolean {
    const unseen = plus(pending, sent);
    return unseen.records === 0 || isWithin(plus(unseen, load), UNSEEN_SHARE * part);
  }

  function isWithin(load: Load, part: number): boolean {
    return load.records <= limits.maxBufferedRecords * part && load.bytes <= limits.maxBufferedBytes * part;
  }

  /** Asks the batcher, or joins the pending question. */
  function ask(): Promise<void> {
    asking ??= update().finally(() => (asking = undefined));
    return asking;
  }

  async function update(): Promise<void> {
    const counted = sent;
    const before = pending;
    const status = await readStatus();
    sent = minus(sent, counted);
    // The answer may already include what was pending meanwhile; it is counted anyway.
    const isDoubtful = plus(before, plus(pending, sent)).records > 0;
    const held = { records: status.bufferedRecords, bytes: status.bufferedBytes };
    known = { held, atMs: now(), isDoubtful };
    silent = false;
    drainRate.note(status, known.atMs);
  }

  function isFresh(): boolean {
    return known !== undefined && !known.isDoubtful && now() - known.atMs < FRESH_FOR_MS;
  }

  /** Waits for an answer, for a bounded time. After a timeout, nobody waits again until an answer has arrived. */
  async function waitForAnswer(): Promise<void> {
    const answer = ask().catch(() => {
      silent = true;
    });
    const late = sleep(ANSWER_WITHIN_MS, true, { ref: false });
    if ((await Promise.race([answer, late])) === true) silent = true;
  }

  /** Reserves room as soon as there is some. Nothing is awaited between the check and the reservation. */
  async function takeRoom(load: Load): Promise<void> {
    if (known === undefined || !isWithinShare(load, ASK_EARLY)) ask().catch(() => undefined);
    while (!silent && fits(load) && !isWithinShare(load, 1)) await waitForAnswer();
    if (!fits(load) && !isFresh()) await ask();
    if (!fits(load)) throw full(load);
    pending = plus(pending, load);
  }

  function full(load: Load): KeepapartError {
    const { records, bytes } = held();
    const beyond = {
      records: records + load.records - limits.maxBufferedRecords,
      bytes: bytes + load.bytes - limits.maxBufferedBytes,
    };
    return new KeepapartError(
      'buffer-full',
      `The buffer holds ${records} of at most ${limits.maxBufferedRecords} records and ${bytes} of at most ` +
        `${limits.maxBufferedBytes} bytes; ${load.records} more of ${load.bytes} bytes do not fit.`,
      { retryAfterMs: drainRate.waitMsFor(beyond, { records, bytes }) },
    );
  }

  return {
    async admit<T>(load: Load, send: () => Promise<T>): Promise<T> {
      await takeRoom(load);
      try {
        return await send();
      } finally {
        // Failed sends count too, because they may have arrived.
        pending = minus(pending, load);
        sent = plus(sent, load);
      }
    },
  };
}

/** @param bytes the sum of the sizes of the values, if it is known already */
export function loadOf(values: readonly JsonValue[], bytes = sizeOf(values)): Load {
  return { records: values.length, bytes };
}

function sizeOf(values: readonly JsonValue[]): number {
  return values.reduce<number>((sum, value) => sum + jsonBytes(value), 0);
}

const NOTHING: Load = { records: 0, bytes: 0 };

function plus(a: Load, b: Load): Load {
  return { records: a.records + b.records, bytes: a.bytes + b.bytes };
}

function minus(a: Load, b: Load): Load {
  return { records: a.records - b.records, bytes: a.bytes - b.bytes };
}
