import type { BatcherStatus } from '../contracts/batcher';
import { KeepapartError } from '../domain/errors';
import { SECOND } from '../domain/duration';
import { jsonBytes, type JsonValue } from '../domain/json';

export interface AdmissionLimits {
  /** Per shard. */
  maxBufferedRecords: number;
  maxBufferedBytes: number;
}

const RETRY_AFTER_MS = 1 * SECOND;

/**
 * Keeps one shard's buffer within its bounds (G6): `admit` sends a request, or several that go together with the values
 * of all, or throws `buffer-full`. What `readStatus` throws when it has to be asked goes on to the caller; what `send`
 * throws does, too.
 *
 * It counts what this process has sent since the batcher was last asked, on top of what the batcher then said. Since a
 * buffer only shrinks by itself, that sum is never too low, and the batcher is asked only when the sum reaches a bound.
 * A process that has just started knows nothing of what the buffer held before. So it asks at its first request, but
 * doesn't wait: what fits by its own count is taken, whether or not there is a worker that answers.
 * With n API processes the buffer can reach n times the bound, as none knows what the others send.
 */
export function createAdmission(limits: AdmissionLimits, readStatus: () => Promise<BatcherStatus>) {
  /** What the batcher last said; undefined until it has said anything. */
  let known: Load | undefined;
  /** On its way: the next answer may or may not count it. */
  let pending: Load = NOTHING;
  /** Sent since the last question was put: a question put from now on counts it, as queries see every earlier signal. */
  let sent: Load = NOTHING;
  let asking: Promise<void> | undefined;

  function held(): Load {
    return plus(known ?? NOTHING, plus(pending, sent));
  }

  function fits(load: Load): boolean {
    const total = plus(held(), load);
    return total.records <= limits.maxBufferedRecords && total.bytes <= limits.maxBufferedBytes;
  }

  /** Asks the batcher, or joins the question that is on its way. */
  function ask(): Promise<void> {
    asking ??= update().finally(() => (asking = undefined));
    return asking;
  }

  async function update(): Promise<void> {
    const counted = sent;
    const { bufferedRecords, bufferedBytes } = await readStatus();
    known = { records: bufferedRecords, bytes: bufferedBytes };
    sent = minus(sent, counted);
  }

  return {
    async admit({ values }: { values: readonly JsonValue[] }, send: () => Promise<void>): Promise<void> {
      const bytes = values.reduce<number>((sum, value) => sum + jsonBytes(value), 0);
      const load = { records: values.length, bytes };
      if (known === undefined) ask().catch(() => undefined);
      if (!fits(load)) {
        await ask();
        if (!fits(load)) throw full(load);
      }
      pending = plus(pending, load);
      try {
        await send();
      } finally {
        // Also what failed: it may have arrived nonetheless.
        pending = minus(pending, load);
        sent = plus(sent, load);
      }
    },
  };

  function full(load: Load): KeepapartError {
    const { records, bytes } = held();
    return new KeepapartError(
      'buffer-full',
      `The buffer holds ${records} of at most ${limits.maxBufferedRecords} records and ${bytes} of at most ` +
        `${limits.maxBufferedBytes} bytes; ${load.records} more of ${load.bytes} bytes do not fit.`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }
}

interface Load {
  records: number;
  bytes: number;
}

const NOTHING: Load = { records: 0, bytes: 0 };

function plus(a: Load, b: Load): Load {
  return { records: a.records + b.records, bytes: a.bytes + b.bytes };
}

function minus(a: Load, b: Load): Load {
  return { records: a.records - b.records, bytes: a.bytes - b.bytes };
}
