import type { Ledger } from './ledger';
import { nothingFound, note, type FileDamage, type Found, type Surplus } from './report';

/** How many ids are listed of equal records of which some are missing. */
const LISTED_AMONG = 5;

/** The outcomes in the files: by recordId, or by value for lines without one. */
export interface Seen {
  /** File of the first outcome of each recordId, from lines in the format `json`. */
  byId: ReadonlyMap<string, string>;
  /** Number of lines in the format `text`, by the key of their value, and one file that has such a line. */
  byValue: ReadonlyMap<string, { lines: number; file: string }>;
}

/** Numbers of ledger records without a `json` line, by the key of their value. */
function openByValue({ records }: Ledger, { byId }: Seen): Map<string, number> {
  const open = new Map<string, number>();
  for (const [recordId, key] of records) {
    if (!byId.has(recordId)) open.set(key, (open.get(key) ?? 0) + 1);
  }
  return open;
}

/** Ids of acknowledged records that may lack an outcome: all records of a value that has fewer lines than records. */
export function* unaccounted(ledger: Ledger, seen: Seen): Generator<string> {
  const open = openByValue(ledger, seen);
  for (const [recordId, key] of ledger.records) {
    if (seen.byId.has(recordId)) continue;
    if ((open.get(key) ?? 0) > (seen.byValue.get(key)?.lines ?? 0)) yield recordId;
  }
}

/**
 * Compares the ledger with the outcomes. Lines in the format `json` were matched by recordId. Lines in the format `text`
 * are matched with the other records as multisets of values: a value with fewer lines than records has missing records;
 * one with more lines has doubled ones if the ledger has the value, otherwise unacknowledged ones.
 */
export function match(
  ledger: Ledger,
  seen: Seen,
  isWaiting: (recordId: string) => boolean,
): Pick<FileDamage, 'missing'> & { waiting: number; doubled: Surplus[]; unacknowledged: Found<Surplus> } {
  const open = openByValue(ledger, seen);
  const known = new Set(ledger.records.values());
  const { missing, waiting } = missingOf(ledger, seen, open, isWaiting);
  const doubled: Surplus[] = [];
  const unacknowledged = nothingFound<Surplus>();
  for (const [value, { lines, file }] of seen.byValue) {
    const surplus = lines - (open.get(value) ?? 0);
    if (surplus <= 0) continue;
    if (known.has(value)) doubled.push({ value, lines: surplus, file });
    else note(unacknowledged, { value, lines: surplus, file }, surplus);
  }
  for (const [recordId, file] of seen.byId) {
    if (!ledger.records.has(recordId)) note(unacknowledged, { recordId, files: [file] });
  }
  return { missing, waiting, doubled, unacknowledged };
}

function missingOf(
  ledger: Ledger,
  seen: Seen,
  open: ReadonlyMap<string, number>,
  isWaiting: (recordId: string) => boolean,
) {
  const missing: FileDamage['missing'] = nothingFound();
  let waiting = 0;
  const partly = new Map<string, { acknowledged: number; lines: number; waiting: number; among: string[] }>();
  for (const recordId of unaccounted(ledger, seen)) {
    const value = ledger.records.get(recordId) ?? '';
    const lines = seen.byValue.get(value)?.lines ?? 0;
    if (lines === 0) {
      if (isWaiting(recordId)) waiting++;
      else note(missing, { recordId });
      continue;
    }
    const entry = partly.get(value) ?? { acknowledged: open.get(value) ?? 0, lines, waiting: 0, among: [] };
    partly.set(value, entry);
    if (isWaiting(recordId)) entry.waiting++;
    else if (entry.among.length < LISTED_AMONG) entry.among.push(recordId);
  }
  for (const [value, { acknowledged, lines, waiting: mayWait, among }] of partly) {
    const without = acknowledged - lines;
    waiting += Math.min(without, mayWait);
    const lost = without - mayWait;
    if (lost > 0) note(missing, { value, missing: lost, acknowledged, among }, lost);
  }
  return { missing, waiting };
}
