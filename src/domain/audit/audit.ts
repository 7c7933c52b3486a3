import type { Ledger, ValueKey } from './ledger';
import { match, unaccounted, type Seen } from './matching';
import { nothingFound, note, type FileDamage, type FileReport } from './report';
import { createCutCheck } from './rules';
import type { ConflictRule } from '../rules';
import type { CutBy } from '../rules/cut-by';
import type { JsonValue } from '../json';
import { OUTCOME } from '../records/outcome';
import { parseOutcomeLine, type OutcomeLine } from './outcome-line';

/** The configuration in force, and the ledger to check the files against. */
export interface AuditInput {
  maxBatchSize: number;
  rules: readonly ConflictRule[];
  keyOf: ValueKey;
  ledger?: Ledger | undefined;
}

/** A batch file. */
export interface AuditedFile {
  name: string;
  /** From its name; undefined if that is not the name of a batch file. */
  batchId: string | undefined;
  /** Its content, or why it can't be read. */
  content: string | { problem: string };
}

/**
 * Checks batch files against the guarantees: each file against G1, G2 and G10, and all files together, and against the
 * ledger, for G4. Independent of how the pipeline works. Keeps recordIds, keys of values and file names in memory.
 */
export function createAudit({ maxBatchSize, rules, keyOf, ledger }: AuditInput) {
  const configured: CutBy = { maxBatchSize, rules: [...rules] };
  const check = createCutCheck();
  let judgedByBatch = 0;
  let cutOtherwise = 0;
  const outcomes = { total: 0, saved: 0, rolledBack: 0, text: 0, json: 0 };
  const byId = new Map<string, string>();
  const byValue = new Map<string, { lines: number; file: string }>();
  const seen: Seen = { byId, byValue };
  const filesOf = new Map<string, string>();
  let files = 0;
  const damage: FileDamage = {
    missing: nothingFound(),
    doubled: nothingFound(),
    altered: nothingFound(),
    overSize: nothingFound(),
    conflicting: nothingFound(),
    torn: nothingFound(),
    sameBatch: nothingFound(),
  };

  function addOutcome({ recordId, canonical, outcome }: OutcomeLine, file: string): void {
    outcomes.total++;
    outcomes[outcome === OUTCOME.saved ? 'saved' : 'rolledBack']++;
    outcomes[recordId === undefined ? 'text' : 'json']++;
    if (recordId === undefined) {
      // Without a ledger, equal values may be one record or two.
      if (ledger === undefined) return;
      const key = keyOf(canonical);
      byValue.set(key, { lines: (byValue.get(key)?.lines ?? 0) + 1, file });
      return;
    }
    const first = byId.get(recordId);
    if (first === undefined) byId.set(recordId, file);
    else note(damage.doubled, { recordId, files: [first, file] });
    const acknowledged = ledger?.records.get(recordId);
    if (acknowledged !== undefined && acknowledged !== keyOf(canonical))
      note(damage.altered, { recordId, file });
  }

  /** Whether a file violates the configuration. */
  function violates(values: readonly JsonValue[]): boolean {
    const { overSize, broken } = check(values, configured);
    return overSize || broken.length > 0;
  }

  return {
    /**
     * Whether a file violates the configuration in force. It may be fine by the configuration that its batch was cut
     * by.
     */
    isSuspect({ content }: AuditedFile): boolean {
      if (typeof content !== 'string') return false;
      return violates(readLines(content).lines.map(({ value }) => value));
    },

    /**
     * Checks a file.
     * @param cutBy what its batch was cut by, if known; default: the configuration in force
     */
    add({ name, batchId, content }: AuditedFile, cutBy?: CutBy): void {
      files++;
      if (cutBy !== undefined) judgedByBatch++;
      const { lines, problem } = typeof content === 'string' ? readLines(content) : { ...content, lines: [] };
      const torn = batchId === undefined ? 'its name is not the name of a batch file' : problem;
      if (torn !== undefined) note(damage.torn, { file: name, problem: torn });
      if (batchId !== undefined) {
        const other = filesOf.get(batchId);
        if (other === undefined) filesOf.set(batchId, name);
        else note(damage.sameBatch, { batchId, files: [other, name] });
      }
      const values = lines.map(({ value }) => value);
      const { overSize, broken } = check(values, cutBy ?? configured);
      if (cutBy !== undefined && !overSize && broken.length === 0 && violates(values)) cutOtherwise++;
      if (overSize) note(damage.overSize, { file: name, records: lines.length });
      if (broken.length > 0) note(damage.conflicting, { file: name, broken });
      for (const line of lines) addOutcome(line, name);
    },

    /** Number of outcomes in the files added so far. */
    outcomes: () => outcomes.total,

    /** Ids of acknowledged records that may lack an outcome in the files added so far. */
    unaccounted: (): Iterable<string> => (ledger === undefined ? [] : unaccounted(ledger, seen)),

    /**
     * The result. Call it once, at the end.
     * @param isWaiting whether a record without an outcome is still on its way; default: none is
     */
    report(isWaiting: (recordId: string) => boolean = () => false): FileReport {
      const base = { files, judgedByBatch, cutOtherwise, outcomes, damage };
      if (ledger === undefined) return { ...base, acknowledged: null, waiting: 0, unacknowledged: null };
      const { missing, waiting, doubled, unacknowledged } = match(ledger, seen, isWaiting);
      for (const surplus of doubled) note(damage.doubled, surplus, 'lines' in surplus ? surplus.lines : 1);
      return {
        ...base,
        acknowledged: ledger.records.size,
        waiting,
        unacknowledged,
        damage: { ...damage, missing },
      };
    },
  };
}

/**
 * The outcomes in a file, and its first problem (G10). Skips lines that are not outcomes, so that the others still count.
 */
export function readLines(content: string): { lines: OutcomeLine[]; problem?: string } {
  if (content === '') return { lines: [], problem: 'it is empty' };
  const texts = content.split('\n');
  const end = texts.pop();
  if (end) texts.push(end);
  let firstBad = 0;
  const lines = texts.flatMap((text, index) => {
    const line = parseOutcomeLine(text);
    if (line === undefined) firstBad ||= index + 1;
    return line ?? [];
  });
  if (end && (firstBad === 0 || firstBad === texts.length))
    return { lines, problem: 'its last line is incomplete' };
  return firstBad === 0 ? { lines } : { lines, problem: `line ${firstBad} is not an outcome` };
}
