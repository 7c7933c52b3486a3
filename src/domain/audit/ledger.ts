import { canonicalJson, type JsonValue } from '../json';

/** Turns the canonical text of a value into what is kept of it: itself, or a digest where it is long. */
export type KeyOf = (canonical: string) => string;

/** What was acknowledged, as the lines of one or several ledgers tell it. */
export interface Ledger {
  /** Key of the value, by recordId. */
  readonly records: ReadonlyMap<string, string>;
  /** Lines that were read. */
  readonly lines: number;
  /** Ledgers whose last line is not whole: whoever wrote it was killed. */
  readonly tornLines: number;
}

/**
 * Collects ledgers. Memory: the ids and keys of all acknowledged records.
 * @returns `add` for one line without its newline (undefined, or what is wrong with it), `addTorn` for the end of a ledger
 * that is no whole line
 */
export function createLedger(keyOf: KeyOf) {
  const records = new Map<string, string>();
  const ledger = { records, lines: 0, tornLines: 0 };
  return {
    ledger: ledger as Ledger,
    addTorn(): void {
      ledger.tornLines++;
    },
    add(line: string): string | undefined {
      const entry = parseEntry(line);
      if (entry === undefined) return 'is not {"recordId":"<requestId>:<index>","value":<JSON>}';
      const key = keyOf(canonicalJson(entry.value));
      const before = records.get(entry.recordId);
      if (before !== undefined && before !== key)
        return `acknowledges ${entry.recordId} again, with another value`;
      records.set(entry.recordId, key);
      ledger.lines++;
      return undefined;
    },
  };
}

function parseEntry(line: string): { recordId: string; value: JsonValue } | undefined {
  try {
    const entry = JSON.parse(line) as { recordId?: unknown; value?: JsonValue } | null;
    if (typeof entry?.recordId !== 'string' || entry.value === undefined) return undefined;
    return /^.+:\d+$/s.test(entry.recordId) ? { recordId: entry.recordId, value: entry.value } : undefined;
  } catch {
    return undefined;
  }
}
