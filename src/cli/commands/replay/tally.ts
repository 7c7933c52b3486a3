import type { Mismatch } from '../../../temporal/replay/mismatch';
import type { RecordedRun } from '../../../temporal/replay/recorded-history';

/** A history whose turn has come, and what it is called in a report. */
export interface SourcedRun extends RecordedRun {
  /** The file that it was read from; null for a live server. */
  file: string | null;
}

/** What `keepapart replay` found; the form of `--json`. */
export interface ReplayReport {
  /** Runs that today's code was held against, by workflow type. */
  replayed: Record<string, { open: number; closed: number }>;
  /** Runs in which no workflow task was completed yet: nothing to hold the code against. */
  notBegun: number;
  /** Live runs that the server no longer had when their turn came. */
  gone: number;
  mismatches: ReportedMismatch[];
  /** Whether every history was replayed; not so after the first mismatch, without `--all`. */
  complete: boolean;
}

export interface ReportedMismatch extends Mismatch {
  workflowId: string;
  runId: string;
  workflowType: string;
  open: boolean;
  file: string | null;
}

export function newReport(): ReplayReport {
  // Without a prototype: a workflow type may have any name.
  const replayed = Object.create(null) as ReplayReport['replayed'];
  return { replayed, notBegun: 0, gone: 0, mismatches: [], complete: true };
}

/** How many runs the code was held against. */
export function replayedRuns({ replayed }: Pick<ReplayReport, 'replayed'>): number {
  return Object.values(replayed).reduce((sum, { open, closed }) => sum + open + closed, 0);
}

/** Counts a run that was replayed, with its mismatch if there was one. */
export function countRun(report: ReplayReport, run: SourcedRun, mismatch: Mismatch | undefined): void {
  const { workflowId, runId, workflowType, open, file } = run;
  const counts = (report.replayed[workflowType] ??= { open: 0, closed: 0 });
  counts[open ? 'open' : 'closed']++;
  if (mismatch) report.mismatches.push({ workflowId, runId, workflowType, open, file, ...mismatch });
}
