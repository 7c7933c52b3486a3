import { readdir, readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import type { ConflictRule } from '../../src/domain/conflict-rules';
import type { JsonValue } from '../../src/domain/json';
import { OUTCOME } from '../../src/domain/outcome';
import { mapAtOnce } from '../../src/temporal/server/at-once';
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
  /** With an outcome, and never acknowledged: whoever sent it does so until it is. */
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
  rolledBack: number;
  files: number;
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

export async function readLedger(file: string): Promise<LedgerLine[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LedgerLine);
}

/** Holds files against what was acknowledged, knowing nothing of the pipeline but the form of its files. */
export function findDamage(
  contents: Contents,
  ledger: readonly LedgerLine[],
  {
    maxBatchSize,
    rules,
    digests = {},
  }: { maxBatchSize: number; rules: readonly ConflictRule[]; digests?: Digests },
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
  const { outcomes, ...found } = audit(files, acknowledged, { maxBatchSize, rules });
  const sent = new Map(ledger.map(({ recordId, value }) => [recordId, value]));
  const lines = [...files.values()].flat();
  const namesOf = (which: (line: OutcomeLine) => boolean) =>
    lines.filter(which).map(({ recordId }) => recordId);
  return {
    acknowledged: acknowledged.length,
    outcomes,
    rolledBack: lines.filter(({ outcome }) => outcome === OUTCOME.rolledBack).length,
    files: contents.size,
    damage: {
      ...found,
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
