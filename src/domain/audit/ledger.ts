import { canonicalJson, type JsonValue } from '../json';

/** Computes the key of a value from its canonical text: the text itself, or a digest of a long one. */
export type ValueKey = (canonical: string) => string;

/** The records that one or several ledgers acknowledge. */
export interface Ledger {
  /** Keys of the values, by recordId. */
  readonly records: ReadonlyMap<string, string>;
  /** Number of lines read. */
  readonly lines: number;
  /** Number of ledgers with an incomplete last line, because their writer was killed. */
  readonly tornLines: number;
}

/**
 * Collects ledgers. Keeps the ids and keys of all acknowledged records in memory.
 * @returns `add` reads one line, without its newline, and returns its problem, or undefined; `addTorn` notes an
 * incomplete last line
 */
export function createLedger(keyOf: ValueKey) {
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
        return `acknowledges ${entry.recordId} again with a different value`;
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
