import { readdir, readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import type { ConflictRule } from '../../src/domain/rules';
import { OUTCOME } from '../../src/domain/records/outcome';
import { mapAtOnce } from '../../src/temporal/server/at-once';
import type { JsonValue } from '../../src/domain/json';
import { requestIdOf } from '../../src/domain/records/record';
import { audit, parseBatchFile, type OutcomeLine } from '../helpers/audit';
import { isDoomed } from './attacked-store';
import { digestOf, type Digests } from './published-files';
import { explain, type Uncertain } from './uncertain';

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
  /** With an outcome, and neither acknowledged nor explained by what clients don't know. */
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
  /** Of these, those of lists without a key of whose answer something was lost. */
  ofLostAnswers: number;
  /** Records without an outcome, as the workflow that held them was deleted by hand. */
  lost: string[];
  /** Outcomes beyond one a record, as the batcher that remembered the key was deleted before its client was answered. */
  doubledByDeletion: number;
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
  /** What clients don't know. */
  uncertain: readonly Uncertain[];
  /** What was in workflows when they were deleted by hand. */
  deleted?: readonly LedgerLine[];
  /** Keys that were forgotten with a batcher that was deleted, of lists that weren't answered. */
  forgotten?: readonly string[];
  maxBatchSize: number;
  rules: readonly ConflictRule[];
  digests?: Digests;
}

/** Holds files against what was acknowledged, knowing nothing of the pipeline but the form of its files. */
export function findDamage(
  contents: Contents,
  { ledger, uncertain, deleted = [], forgotten = [], maxBatchSize, rules, digests = {} }: Expected,
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
  const { outcomes, unknown, missing, doubled, ...found } = audit(files, acknowledged, {
    maxBatchSize,
    rules,
  });
  const sent = new Map(ledger.map(({ recordId, value }) => [recordId, value]));
  const lines = [...files.values()].flat();
  const neverEntered = new Set(unknown);
  const lost = lostByDeletion(lines, deleted);
  const explained = explain(
    [
      ...lines.filter(({ recordId }) => neverEntered.has(recordId)),
      ...[...lost.values()].filter(({ recordId }) => !sent.has(recordId)),
    ],
    uncertain,
  );
  const forgottenKeys = new Set(forgotten);
  const isForgotten = (recordId: string) => forgottenKeys.has(requestIdOf(recordId));
  const namesOf = (which: (line: OutcomeLine) => boolean) =>
    lines.filter(which).map(({ recordId }) => recordId);
  return {
    acknowledged: acknowledged.length + explained.acknowledged,
    outcomes,
    ofLostAnswers: Math.max(0, unknown.length - explained.unexplained.length - explained.acknowledged),
    lost: [...lost.keys()],
    doubledByDeletion:
      namesOf(({ recordId }) => isForgotten(recordId)).length -
      new Set(namesOf(({ recordId }) => isForgotten(recordId))).size,
    rolledBack: lines.filter(({ outcome }) => outcome === OUTCOME.rolledBack).length,
    files: contents.size,
    filesInBulk: [...contents.keys()].filter((name) => /\.\d{3,}\.log$/.test(name)).length,
    damage: {
      ...found,
      missing: [...missing.filter((recordId) => !lost.has(recordId)), ...explained.missing],
      doubled: doubled.filter((recordId) => !isForgotten(recordId)),
      unknown: explained.unexplained,
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

/** Of the records that were in something that was deleted, those that have no outcome, as if it had one. */
function lostByDeletion(
  lines: readonly OutcomeLine[],
  deleted: readonly LedgerLine[],
): ReadonlyMap<string, OutcomeLine> {
  const settled = new Set(lines.map(({ recordId }) => recordId));
  return new Map(
    deleted
      .filter(({ recordId }) => !settled.has(recordId))
      .map((record) => [record.recordId, { ...record, outcome: 'saved', attempts: 0, error: null, at: '' }]),
  );
}
