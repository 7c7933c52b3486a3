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

/** What a request, or several that go together, add to a buffer; bytes as {@link jsonBytes} counts them, per value. */
export interface Load {
  records: number;
  bytes: number;
}

/** What one process may add to a shard on top of what the batcher last told it of: this part of the bound. */
export const UNSEEN_SHARE = 1 / 8;

/** From this part of its share on, a process asks beforehand, so that nobody has to wait for the answer. */
const ASK_EARLY = 1 / 2;

/** How long the answer is waited for where the process's own count would let a request in. */
const ANSWER_WITHIN_MS = 1 * SECOND;

/** While an answer is younger than this and beyond doubt, what it refuses is refused without another question. */
const FRESH_FOR_MS = 100;

/**
 * Keeps one shard's buffer within its bounds (G6): `admit` sends a request, or throws `buffer-full`. What `readStatus`
 * throws where it decides goes on to the caller; what `send` throws does, too.
 *
 * It counts what this process has sent since the batcher was last asked, on top of what the batcher then said. Since a
 * buffer only shrinks by itself, that sum is never too low as far as this process is concerned. What others send, the
 * batcher's answers tell: a process adds at most {@link UNSEEN_SHARE} of the bound, or one request, before it waits for
 * the next. So n processes overfill a buffer by at most n eighths, or n requests where those are larger. Where no worker
 * answers, each goes by its own count, as records must be taken without one: n processes can then fill it n times.
 * @param now milliseconds on any clock that only goes forward
 */
export function createAdmission(
  limits: AdmissionLimits,
  readStatus: () => Promise<BatcherStatus>,
  now: () => number = () => performance.now(),
) {
  const drainRate = createDrainRate();
  /** What the batcher last said; undefined until it has said anything. */
  let known: { held: Load; atMs: number; isDoubtful: boolean } | undefined;
  /** On its way: the next answer may or may not count it. */
  let pending: Load = NOTHING;
  /** Sent since the last question was put: a question put from now on counts it, as it sees every earlier message. */
  let sent: Load = NOTHING;
  let asking: Promise<void> | undefined;
  /** Whether the batcher was asked in vain and has not answered since. */
  let silent = false;

  function held(): Load {
    return plus(known?.held ?? NOTHING, plus(pending, sent));
  }

  function fits(load: Load): boolean {
    return isWithin(plus(held(), load), 1);
  }

  /** Whether so much can be added before the batcher has to tell what others have sent. */
  function isWithinShare(load: Load, part: number): boolean {
    const unseen = plus(pending, sent);
    return unseen.records === 0 || isWithin(plus(unseen, load), UNSEEN_SHARE * part);
  }

  function isWithin(load: Load, part: number): boolean {
    return load.records <= limits.maxBufferedRecords * part && load.bytes <= limits.maxBufferedBytes * part;
  }

  /** Asks the batcher, or joins the question that is on its way. */
  function ask(): Promise<void> {
    asking ??= update().finally(() => (asking = undefined));
    return asking;
  }

  async function update(): Promise<void> {
    const counted = sent;
    const before = pending;
    const status = await readStatus();
    sent = minus(sent, counted);
    // What was on its way meanwhile may be in the answer, and is counted beside it all the same.
    const isDoubtful = plus(before, plus(pending, sent)).records > 0;
    const held = { records: status.bufferedRecords, bytes: status.bufferedBytes };
    known = { held, atMs: now(), isDoubtful };
    silent = false;
    drainRate.note(status, known.atMs);
  }

  function isFresh(): boolean {
    return known !== undefined && !known.isDoubtful && now() - known.atMs < FRESH_FOR_MS;
  }

  /** Waits for the batcher's answer while that is worth it, which it isn't again before there has been one. */
  async function waitForAnswer(): Promise<void> {
    const answer = ask().catch(() => {
      silent = true;
    });
    const late = sleep(ANSWER_WITHIN_MS, true, { ref: false });
    if ((await Promise.race([answer, late])) === true) silent = true;
  }

  /** Takes room as soon as there is some, as far as can be known in time: nothing happens between seeing and taking it. */
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
        // Also what failed: it may have arrived nonetheless.
        pending = minus(pending, load);
        sent = plus(sent, load);
      }
    },
  };
}

export function loadOf(values: readonly JsonValue[]): Load {
  return {
    records: values.length,
    bytes: values.reduce<number>((sum, value) => sum + jsonBytes(value), 0),
  };
}

const NOTHING: Load = { records: 0, bytes: 0 };

function plus(a: Load, b: Load): Load {
  return { records: a.records + b.records, bytes: a.bytes + b.bytes };
}

function minus(a: Load, b: Load): Load {
  return { records: a.records - b.records, bytes: a.bytes - b.bytes };
}
