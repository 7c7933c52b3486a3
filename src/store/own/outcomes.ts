import { KeepapartError } from '../../domain/errors';
import { describeReceived } from '../../domain/field-problems';
import { isObject } from '../../domain/json';

/** A validated outcome of one record. */
export type ReadOutcome =
  | { outcome: 'saved' }
  | { outcome: 'retry'; reason?: string | undefined; afterMs?: number | undefined }
  | { outcome: 'rejected'; reason?: string | undefined };

const EXPECTED = `"saved", "retry", "rejected", or an object with "outcome" and, if any, "reason" and "afterMs"`;

/**
 * Validates the outcomes that a store returned for its records.
 * @param source where they come from, for messages
 * @throws `save-failed` (retried) if they are invalid: then nothing is known of any record
 */
export function readOutcomes(given: unknown, count: number, source: string): ReadOutcome[] {
  if (!Array.isArray(given) || given.length !== count)
    throw wrong(source, `a list of ${count} outcomes, one for each record`, given);
  return given.map((one: unknown, i) => {
    const outcome = readOutcome(one);
    if (outcome === undefined) throw wrong(`${source}, outcome ${i}`, EXPECTED, one);
    return outcome;
  });
}

function readOutcome(given: unknown): ReadOutcome | undefined {
  const { outcome, reason, afterMs } = isObject(given)
    ? given
    : { outcome: given, reason: undefined, afterMs: undefined };
  if (reason !== undefined && reason !== null && typeof reason !== 'string') return undefined;
  const rest = typeof reason === 'string' ? { reason } : {};
  switch (outcome) {
    case 'saved':
      return { outcome };
    case 'rejected':
      return { outcome, ...rest };
    case 'retry':
      if (afterMs === undefined || afterMs === null) return { outcome, ...rest };
      return typeof afterMs === 'number' && afterMs >= 0 ? { outcome, ...rest, afterMs } : undefined;
    default:
      return undefined;
  }
}

function wrong(source: string, expected: string, received: unknown): KeepapartError {
  const count = Array.isArray(received) ? `${received.length} outcomes: ` : '';
  return new KeepapartError(
    'save-failed',
    `${source}: expected ${expected}; received ${count}${describeReceived(received)}`,
  );
}
