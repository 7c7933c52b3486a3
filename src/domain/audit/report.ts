import type { BrokenRule } from './rules';

/** How many findings of each kind are listed. All are counted. */
export const LISTED = 20;

/** The number of findings of a kind, and the first {@link LISTED} of them. */
export interface Found<T> {
  count: number;
  first: T[];
}

export function nothingFound<T>(): Found<T> {
  return { count: 0, first: [] };
}

/**
 * Adds a finding.
 * @param count number of occurrences that it represents; default 1
 */
export function note<T>(found: Found<T>, finding: T, count = 1): void {
  found.count += count;
  if (found.first.length < LISTED) found.first.push(finding);
}

/**
 * Acknowledged records that no file has: one record; or `missing` of the `acknowledged` records with an equal value, some
 * of which are `among`, if the lines are in the format `text`.
 */
export type Missing =
  { recordId: string } | { value: string; missing: number; acknowledged: number; among: string[] };

/** A second outcome of a record; or `lines` more lines with a value than the ledger has records with it. */
export type Surplus = { recordId: string; files: string[] } | { value: string; lines: number; file: string };

export interface FileSize {
  file: string;
  records: number;
}
export interface BrokenFile {
  file: string;
  broken: BrokenRule[];
}
export interface TornFile {
  file: string;
  problem: string;
}

/** Damage found in the files and the ledger. */
export interface FileDamage {
  /** Acknowledged records without an outcome (G4). */
  missing: Found<Missing>;
  /** Records with more than one outcome line (G4). */
  doubled: Found<Surplus>;
  /** Outcomes with a different value than the one acknowledged under their recordId. */
  altered: Found<{ recordId: string; file: string }>;
  /** Files with more records than the maximum batch size that their batch was cut by (G1). */
  overSize: Found<FileSize>;
  /** Files with records that a rule which their batch was cut by keeps apart (G2). */
  conflicting: Found<BrokenFile>;
  /** Files with an incomplete line, a line that is not an outcome, or a name that is not a batch file's (G10). */
  torn: Found<TornFile>;
  /** Batches with more than one file. */
  sameBatch: Found<{ batchId: string; files: string[] }>;
}

/** Damage found by comparing files with closed batches in Temporal. */
export interface BatchDamage {
  /** Completed batches without a file. */
  fileMissing: Found<{ batchId: string; file: string }>;
  /** Completed batches whose file differs from their outcomes. */
  fileDiffers: Found<{ batchId: string; file: string; problem: string }>;
  /** Batches that closed without completing, and whose records have no file (G4). */
  abandoned: Found<{ batchId: string; records: number }>;
}

/** Result of checking the files, and the ledger if there is one. */
export interface FileReport {
  files: number;
  /** Files that were checked against what their batch was cut by, not against the configuration in force. */
  judgedByBatch: number;
  /** Those of them that pass, but would violate the configuration in force. */
  cutOtherwise: number;
  outcomes: { total: number; saved: number; rolledBack: number; text: number; json: number };
  /** Number of acknowledged records; null without a ledger. */
  acknowledged: number | null;
  /** Acknowledged records that are known to be buffered or in flight. */
  waiting: number;
  /** Outcomes of records that the ledger doesn't have; null without a ledger. Reported, but not damage. */
  unacknowledged: Found<Surplus> | null;
  damage: FileDamage;
}

/** Result of checking Temporal's batches. */
export interface BatchReport {
  completed: number;
  running: number;
  /** Batches that closed without completing, but have a complete file. */
  closedWithFile: number;
  /** Batches whose retention period ended while they were read. */
  forgotten: number;
  /** Files of batches that Temporal doesn't list. */
  unlistedFiles: number;
  /** Number of records of {@link BatchDamage.abandoned}. */
  abandonedRecords: number;
  damage: BatchDamage;
}

/**
 * The records that a batcher has accepted since its first run, by where they are now:
 * `accepted` = `saved` + `rolledBack` + `lost` + `bufferedRecords` + `inFlightRecords` + `unaccounted`.
 */
export interface ShardSum {
  /** Workflow id. */
  batcher: string;
  accepted: number;
  saved: number;
  rolledBack: number;
  /** Deleted with Temporal's own tools before they had an outcome. */
  lost: number;
  bufferedRecords: number;
  inFlightRecords: number;
  /** The difference to `accepted`; any other number than 0 is damage. */
  unaccounted: number;
}

/** Result of checking the batches that are closed in Postgres or S3. */
export interface ClosedReport {
  closed: number;
  /** Batches that closed within the last minute and have no file yet. */
  publishing: number;
  /** Files of batches that the store doesn't have, for example because somebody deleted them there. */
  unlistedFiles: number;
  damage: {
    /** Closed batches without a file. */
    notPublished: Found<{ file: string }>;
    /** Files that differ from the outcomes in the store. */
    publishedOtherwise: Found<{ file: string }>;
  };
}

/**
 * Whether no damage was found.
 * @param damage an object whose members are all {@link Found}
 */
export function isClean(damage: object): boolean {
  return (Object.values(damage) as Found<unknown>[]).every(({ count }) => count === 0);
}
