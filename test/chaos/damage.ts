import { readdir, readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import type { ConflictRule } from '../../src/domain/conflict-rules';
import { OUTCOME } from '../../src/domain/outcome';
import { mapAtOnce } from '../../src/temporal/server/at-once';
import { canonicalJson, type JsonValue } from '../../src/domain/json';
import { indexOf, requestIdOf } from '../../src/domain/record';
import { audit, parseBatchFile, type OutcomeLine } from '../helpers/audit';
import { isDoomed } from './attacked-store';
import { digestOf, type Digests } from './published-files';

/** What was acknowledged: a line of the ledger. */
export interface LedgerLine {
  recordId: string;
  value: JsonValue;
}

/** Each list names what is damaged; all of them are empty where nothing is. */
export interface Damage {
  /** Acknowledged, and without an outcome (G4). */
  missing: string[];
  /** With more than one outcome (G4). */
  doubled: string[];
  /** With an outcome, and neither acknowledged nor of a list whose answer was lost. */
  unknown: string[];
  /** With another value than was sent. */
  altered: string[];
  /** Said to be saved, though no attempt can save it. */
  untrue: string[];
  /** Files with too many records (G1). */
  overSize: string[];
  /** Files with records that a rule keeps apart (G2). */
  conflicting: string[];
  /** Pairs that were with the store at once or too soon after one another, in scope `running` (G2). */
  tooClose: string[];
  /** Files that aren't whole lines (G10). */
  torn: string[];
  /** Files that changed or went away after they had appeared (G10). */
  changed: string[];
}

export interface Findings {
  acknowledged: number;
  outcomes: number;
  /** Of these, those of lists without a key whose answer was lost: each such list is there once and whole, or not at all. */
  ofLostAnswers: number;
  rolledBack: number;
  files: number;
  /** Of these, those whose child had several batches, so saved them in bulk. */
  filesInBulk: number;
  damage: Damage;
}

/** Files that may be there, by name, with their content. */
export type Contents = ReadonlyMap<string, string>;

export function isDamaged(damage: Damage): boolean {
  return Object.values(damage).some((found: string[]) => found.length > 0);
}

/** A long run leaves more files than a process may have open. */
const OPEN_AT_ONCE = 64;

export async function readContents(outDir: string): Promise<Contents> {
  const names = (await readdir(outDir)).filter((name) => /^test_log_.*\.log$/.test(name)).sort();
  const texts = await mapAtOnce(names, OPEN_AT_ONCE, (name) => readFile(path.join(outDir, name), 'utf8'));
  return new Map(names.map((name, i) => [name, texts[i]!]));
}

/** What is held against the files. */
export interface Expected {
  ledger: readonly LedgerLine[];
  /** Lists without a key whose answer was lost. */
  lost: readonly (readonly JsonValue[])[];
  maxBatchSize: number;
  rules: readonly ConflictRule[];
  digests?: Digests;
}

/** Holds files against what was acknowledged, knowing nothing of the pipeline but the form of its files. */
export function findDamage(
  contents: Contents,
  { ledger, lost, maxBatchSize, rules, digests = {} }: Expected,
): Findings {
  const files = new Map<string, OutcomeLine[]>();
  const torn: string[] = [];
  for (const [name, text] of contents) {
    try {
      files.set(name, parseBatchFile(name, text));
    } catch {
      torn.push(name);
    }
  }
  const acknowledged = ledger.map(({ recordId }) => recordId);
  const { outcomes, unknown, ...found } = audit(files, acknowledged, { maxBatchSize, rules });
  const sent = new Map(ledger.map(({ recordId, value }) => [recordId, value]));
  const lines = [...files.values()].flat();
  const neverAcknowledged = new Set(unknown);
  const unaccounted = withoutLost(
    lines.filter(({ recordId }) => neverAcknowledged.has(recordId)),
    lost,
  );
  const namesOf = (which: (line: OutcomeLine) => boolean) =>
    lines.filter(which).map(({ recordId }) => recordId);
  return {
    acknowledged: acknowledged.length,
    outcomes,
    ofLostAnswers: unknown.length - unaccounted.length,
    rolledBack: lines.filter(({ outcome }) => outcome === OUTCOME.rolledBack).length,
    files: contents.size,
    filesInBulk: [...contents.keys()].filter((name) => /\.\d{3,}\.log$/.test(name)).length,
    damage: {
      ...found,
      unknown: unaccounted,
      tooClose: [],
      altered: namesOf(
        ({ recordId, value }) => sent.has(recordId) && !isDeepStrictEqual(sent.get(recordId), value),
      ),
      untrue: namesOf(({ value, outcome }) => isDoomed(value) && outcome === OUTCOME.saved),
      torn,
      changed: Object.entries(digests).flatMap(([name, digest]) => {
        const text = contents.get(name);
        return text !== undefined && digestOf(Buffer.from(text)) === digest ? [] : [name];
      }),
    },
  };
}

/** Those of the records that belong to no request which is, as a whole, a list whose answer was lost. */
function withoutLost(lines: readonly OutcomeLine[], lost: readonly (readonly JsonValue[])[]): string[] {
  const open = new Map<string, number>();
  for (const values of lost) count(open, canonicalJson([...values]), 1);
  const requests = new Map<string, OutcomeLine[]>();
  for (const line of lines) {
    const requestId = requestIdOf(line.recordId);
    requests.set(requestId, [...(requests.get(requestId) ?? []), line]);
  }
  return [...requests.values()].flatMap((own) => {
    const sorted = own.sort((a, b) => indexOf(a.recordId) - indexOf(b.recordId));
    const isWhole = sorted.every(({ recordId }, place) => indexOf(recordId) === place);
    const text = canonicalJson(sorted.map(({ value }) => value));
    if (isWhole && (open.get(text) ?? 0) > 0) {
      count(open, text, -1);
      return [];
    }
    return sorted.map(({ recordId }) => recordId);
  });
}

function count(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
