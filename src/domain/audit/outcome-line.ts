import { canonicalJson, type JsonValue } from '../json';
import { OUTCOME, type Outcome } from '../records/outcome';

/** A parsed line of a batch file. */
export interface OutcomeLine {
  /** Undefined for the format `text`. */
  recordId: string | undefined;
  value: JsonValue;
  /** See `canonicalJson`. */
  canonical: string;
  outcome: Outcome;
}

const TEXT = /^save \[(?<value>.*)\] (?<end>success|failed, roll back)$/s;

/**
 * Parses a line that `outcomeLine` wrote, in either format; undefined for anything else. Ignores unknown members, which
 * later versions may add.
 */
export function parseOutcomeLine(line: string): OutcomeLine | undefined {
  try {
    const parsed = JSON.parse(line) as JsonValue;
    if (typeof parsed !== 'string') return line.startsWith('{') ? fromObject(parsed) : undefined;
    return JSON.stringify(parsed) === line ? fromText(parsed) : undefined;
  } catch {
    // Not JSON, or nested so deeply that the stack overflows: no record is.
    return undefined;
  }
}

function fromText(text: string): OutcomeLine | undefined {
  const { value, end } = TEXT.exec(text)?.groups ?? {};
  if (value === undefined) return undefined;
  const outcome = end === 'success' ? OUTCOME.saved : OUTCOME.rolledBack;
  return lineOf(undefined, JSON.parse(value) as JsonValue, outcome);
}

function fromObject(parsed: JsonValue): OutcomeLine | undefined {
  const { recordId, value, outcome, attempts, error, at } = parsed as Record<string, JsonValue | undefined>;
  const isOutcome =
    typeof recordId === 'string' &&
    recordId !== '' &&
    value !== undefined &&
    (outcome === OUTCOME.saved || outcome === OUTCOME.rolledBack) &&
    Number.isInteger(attempts) &&
    (error === null || typeof error === 'string') &&
    typeof at === 'string' &&
    !Number.isNaN(Date.parse(at));
  return isOutcome ? lineOf(recordId, value, outcome) : undefined;
}

function lineOf(recordId: string | undefined, value: JsonValue, outcome: Outcome): OutcomeLine {
  return { recordId, value, canonical: canonicalJson(value), outcome };
}
