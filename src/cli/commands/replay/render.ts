import { replayedRuns, type ReplayReport, type ReportedMismatch } from './tally';

const WHAT_TO_DO = `What to do: change the code, never the history. Put the change behind patched('<name>') so that runs
from before it go the old way, or deploy it under worker versioning so that they stay with the old
build: docs/UPGRADES.md.`;

/** The report for people: every mismatch, what to do about it, and what was replayed. */
export function renderReport(report: ReplayReport): string {
  const { mismatches } = report;
  return [
    ...mismatches.map(renderMismatch),
    ...(mismatches.length > 0 ? [WHAT_TO_DO] : []),
    renderSummary(report),
  ].join('\n\n');
}

function renderMismatch(mismatch: ReportedMismatch): string {
  const { workflowId, workflowType, runId, open, file, eventId, eventType, recorded, now } = mismatch;
  const rows = [
    ['workflow', `${workflowId} (${workflowType}, ${open ? 'open' : 'closed'})`],
    ['run', runId],
    ...(file === null ? [] : [['file', file]]),
    ['event', eventId === null ? 'not known' : `${eventId} ${eventType ?? ''}`],
    ['history', recorded],
    ['code now', now],
    ['in full', mismatch.original],
  ];
  const lines = rows.map(([name = '', value = '']) => `  ${name.padEnd(8)}  ${value}`);
  return [`Today's code does not replay ${workflowId} [replay-mismatch]`, ...lines].join('\n');
}

function renderSummary(report: ReplayReport): string {
  const { replayed, notBegun, gone, mismatches, complete } = report;
  const total = replayedRuns(report);
  const types = Object.entries(replayed)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([type, { open, closed }]) => `  ${type}: ${open} open, ${closed} closed`);
  const outcome =
    mismatches.length === 0
      ? `Today's code replays all ${counted(total, 'history', 'histories')}:`
      : `Of ${counted(total, 'history', 'histories')}, today's code does not replay ${mismatches.length}:`;
  return [
    outcome,
    ...types,
    ...(notBegun > 0 ? [`  not begun, so not replayed: ${notBegun}`] : []),
    ...(gone > 0 ? [`  gone before their turn came: ${gone}`] : []),
    ...(complete ? [] : ['Stopped at the first mismatch; --all replays the others too.']),
    '',
  ].join('\n');
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
