import type { BrokenRule } from './rules';

/** How many of each kind are listed; all are counted. */
export const LISTED = 20;

/** Something that was found, so and so often, and the first {@link LISTED} places. */
export interface Found<T> {
  count: number;
  first: T[];
}

export function nothingFound<T>(): Found<T> {
  return { count: 0, first: [] };
}

/** Counts a place, and lists it while there is room. */
export function note<T>(found: Found<T>, place: T, count = 1): void {
  found.count += count;
  if (found.first.length < LISTED) found.first.push(place);
}

/**
 * Records that the ledger has and no file: one whose id is certain, or so many of those that share a value, when only
 * lines of the format `text` can tell.
 */
export type Missing =
  { recordId: string } | { value: string; missing: number; acknowledged: number; among: string[] };

/** An outcome too many: of a record, or of a value that has more lines than the ledger has records. */
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

/** What is wrong, by what files and ledger tell. */
export interface FileDamage {
  /** Acknowledged records without an outcome (G4). */
  missing: Found<Missing>;
  /** Outcome lines beyond the one that a record may have (G4). */
  doubled: Found<Surplus>;
  /** Outcomes whose value is not the one that was acknowledged under their recordId. */
  altered: Found<{ recordId: string; file: string }>;
  /** Files with more records than their batch was to have (G1). */
  overSize: Found<FileSize>;
  /** Files with records that a rule keeps apart by which their batch was cut (G2). */
  conflicting: Found<BrokenFile>;
  /** Files that are not whole lines, each an outcome, or whose name is not a batch file's (G10). */
  torn: Found<TornFile>;
  /** Batches with more than one file. */
  sameBatch: Found<{ batchId: string; files: string[] }>;
}

/** What Temporal's closed batches tell beyond that. */
export interface BatchDamage {
  /** Completed batches without their file. */
  fileMissing: Found<{ batchId: string; file: string }>;
  /** Completed batches whose file has other bytes than their outcomes give. */
  fileDiffers: Found<{ batchId: string; file: string; problem: string }>;
  /** Batches that closed in another way than completing, and whose records have no file either (G4). */
  abandoned: Found<{ batchId: string; records: number }>;
}

/** What was found in the files, and in the ledger where there is one. */
export interface FileReport {
  files: number;
  /** Files that were held against what stands with their batch, not against what is configured. */
  judgedByBatch: number;
  /** Those of them that would break what is configured, and don't break that. */
  cutOtherwise: number;
  outcomes: { total: number; saved: number; rolledBack: number; text: number; json: number };
  /** Distinct records; null without a ledger. */
  acknowledged: number | null;
  /** Acknowledged records that are known to be on their way. */
  waiting: number;
  /** Outcomes of records that the ledger doesn't have; null without one. Told, and no damage. */
  unacknowledged: Found<Surplus> | null;
  damage: FileDamage;
}

/** What was found of Temporal's batches. */
export interface BatchReport {
  completed: number;
  running: number;
  /** Batches that closed in another way, and whose file is whole all the same. */
  closedWithFile: number;
  /** Batches that Temporal forgot while they were read. */
  forgotten: number;
  /** Files of batches that Temporal doesn't list. */
  unlistedFiles: number;
  /** Records of {@link BatchDamage.abandoned}. */
  abandonedRecords: number;
  damage: BatchDamage;
}

/**
 * What a batcher accepted since it started, and where that is now:
 * `accepted` = `saved` + `rolledBack` + `lost` + `bufferedRecords` + `inFlightRecords` + `unaccounted`, in records.
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
  /** What the sum lacks; anything but 0 is damage. */
  unaccounted: number;
}

/** What was found of the batches that are closed in Postgres. */
export interface PostgresReport {
  closed: number;
  /** Closed within the last minute, their file not there yet. */
  publishing: number;
  /** Files of batches that Postgres doesn't have, as when its rows were deleted. */
  unlistedFiles: number;
  damage: {
    /** Closed batches without their file. */
    notPublished: Found<{ file: string }>;
    /** Files with other bytes than the outcomes in Postgres give. */
    publishedOtherwise: Found<{ file: string }>;
  };
}

/** Whether nothing is damaged. */
export function isClean(damage: object): boolean {
  return (Object.values(damage) as Found<unknown>[]).every(({ count }) => count === 0);
}
