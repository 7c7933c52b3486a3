import type { Damage } from '../../domain/audit/damages';
import { DAY, HOUR, SECOND } from '../../domain/duration';

/*
 * An audit that the API asks for: a workflow of its own, at most one at a time in an installation, with one activity that
 * reads the batch files where they are. It asks no batcher anything by query.
 */

/** Input of `auditWorkflow`. */
export interface AuditRequest {
  /** Who asked for it. */
  by: string;
}

export type AuditWorkflow = (request: AuditRequest) => Promise<AuditResult>;

/** What an audit is doing; details of its activity's heartbeat. */
export interface AuditProgress {
  /** Closed batches against their files, then all files, then batches that are closed in Postgres or S3. */
  stage: 'batches' | 'files' | 'store';
  done: number;
  /** Null where it isn't known how many there are. */
  of: number | null;
}

/** What an audit found. */
export interface AuditResult {
  clean: boolean;
  /** Identity of the worker whose files were read. */
  worker: string;
  files: number;
  saved: number;
  rolledBack: number;
  /** Batches that are closed in Temporal, each compared with its file. */
  batches: number;
  /** Batches that ran meanwhile, and so were not compared. */
  running: number;
  /** What was left out because of {@link AUDIT_BOUNDS}: files, all older than those that were read. */
  filesLeftOut: number;
  /** Whether Temporal knows more batches than were compared. */
  batchesLeftOut: boolean;
  /** Batchers that didn't answer, so that their sums were not checked. */
  silentBatchers: string[];
  damage: Damage[];
}

/** What one audit reads at most, the newest first; bounds its memory (about 200 MB) and how long it takes. */
export const AUDIT_BOUNDS = { files: 100_000, outcomes: 500_000, batches: 20_000 } as const;

/** Of the text of one place. */
export const MAX_PLACE_LENGTH = 300;

/**
 * Of the activity. When its worker is killed, another worker begins it again. Its progress is seen as often as the SDK
 * sends heartbeats: every four fifths of their timeout. After `allMs`, attempts and waits included, it is given up.
 */
export const AUDIT_TIMEOUTS = { heartbeatMs: 6 * SECOND, attemptMs: 2 * HOUR, allMs: 1 * DAY } as const;

/** Error type of an audit that can't succeed by being tried again, e.g. as `OUT_DIR` can't be read. */
export const AUDIT_IMPOSSIBLE = 'audit-impossible';
