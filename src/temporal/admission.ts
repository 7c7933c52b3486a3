import type { AcceptedRequest, BatcherStatus } from '../contracts/batcher';
import { KeepapartError } from '../domain/errors';
import { SECOND } from '../domain/duration';
import { jsonBytes } from '../domain/json';

export interface AdmissionLimits {
  /** Per shard. */
  maxBufferedRecords: number;
  maxBufferedBytes: number;
}

const RETRY_AFTER_MS = 1 * SECOND;

/**
 * Keeps one shard's buffer within its bounds (G6): `admit` sends a request or throws `buffer-full`.
 *
 * It counts what this process has sent since the batcher was last asked, on top of what the batcher then said. Since a
 * buffer only shrinks by itself, that sum is never too low, and the batcher is asked only when the sum reaches a bound.
 * With n API processes the buffer can reach n times the bound, as none knows what the others send.
 */
export function createAdmission(limits: AdmissionLimits, readStatus: () => Promise<BatcherStatus>) {
  /** What the batcher last said. */
  let known: Load = { records: 0, bytes: 0 };
  /** On its way: the next answer may or may not count it. */
  let pending: Load = { records: 0, bytes: 0 };
  /** Sent since the last question was put: a question put from now on counts it, as queries see every earlier signal. */
  let sent: Load = { records: 0, bytes: 0 };
  let asking: Promise<void> | undefined;

  function fits(load: Load): boolean {
    const total = plus(plus(known, plus(pending, sent)), load);
    return total.records <= limits.maxBufferedRecords && total.bytes <= limits.maxBufferedBytes;
  }

  async function ask(): Promise<void> {
    const counted = sent;
    const { bufferedRecords, bufferedBytes } = await readStatus();
    known = { records: bufferedRecords, bytes: bufferedBytes };
    sent = minus(sent, counted);
  }

  return {
    async admit(request: AcceptedRequest, send: () => Promise<void>): Promise<void> {
      const bytes = request.values.reduce<number>((sum, value) => sum + jsonBytes(value), 0);
      const load = { records: request.values.length, bytes };
      if (!fits(load)) {
        asking ??= ask().finally(() => (asking = undefined));
        await asking;
        if (!fits(load)) throw full(plus(known, plus(pending, sent)), load);
      }
      pending = plus(pending, load);
      try {
        await send();
      } finally {
        pending = minus(pending, load);
        sent = plus(sent, load);
      }
    },
  };

  function full(held: Load, load: Load): KeepapartError {
    return new KeepapartError(
      'buffer-full',
      `The buffer holds ${held.records} of at most ${limits.maxBufferedRecords} records and ${held.bytes} of at most ` +
        `${limits.maxBufferedBytes} bytes; ${load.records} more of ${load.bytes} bytes do not fit.`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }
}

interface Load {
  records: number;
  bytes: number;
}

function plus(a: Load, b: Load): Load {
  return { records: a.records + b.records, bytes: a.bytes + b.bytes };
}

function minus(a: Load, b: Load): Load {
  return { records: a.records - b.records, bytes: a.bytes - b.bytes };
}
