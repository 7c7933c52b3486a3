import { canonicalJson, type JsonValue } from '../json';
import { OUTCOME, type Outcome } from '../records/outcome';

/** What a line of a batch file says. */
export interface OutcomeLine {
  /** Whose outcome it is; only lines of the format `json` tell. */
  recordId: string | undefined;
  value: JsonValue;
  /** The text that equal values share. */
  canonical: string;
  outcome: Outcome;
}

const TEXT = /^save \[(?<value>.*)\] (?<end>success|failed, roll back)$/s;

/**
 * Reads a line that `outcomeLine` wrote, in either format; undefined for anything else. An object may have members that
 * are not known here: a later version may say more.
 */
export function parseOutcomeLine(line: string): OutcomeLine | undefined {
  try {
    const parsed = JSON.parse(line) as JsonValue;
    if (typeof parsed !== 'string') return line.startsWith('{') ? fromObject(parsed) : undefined;
    return JSON.stringify(parsed) === line ? fromText(parsed) : undefined;
  } catch {
    // No JSON, or none that can be walked: what nests thousands of levels deep was never a record.
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
