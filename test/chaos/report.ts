import { SECOND } from '../../src/domain/duration';
import type { AttackReport, FaultReport } from './attack';
import type { Findings } from './damage';

/** How many places of one kind of damage are named. */
const NAMED = 20;

/** What an audit found, for people. */
export function renderFindings({ damage, ...counts }: Findings): string {
  const share = counts.outcomes === 0 ? 0 : (100 * counts.rolledBack) / counts.outcomes;
  const rows: [string, string | number][] = [
    ['acknowledged', counts.acknowledged],
    ['outcomes', counts.outcomes],
    ['of lost answers', counts.ofLostAnswers],
    ['deleted by hand', `${counts.lost.length} without an outcome, ${counts.doubledByDeletion} with two`],
    ['rolled back', `${counts.rolledBack} (${share.toFixed(1)} %)`],
    ['files', `${counts.files}, ${counts.filesInBulk} of them by children with several batches`],
  ];
  const found = Object.entries(damage) as [string, string[]][];
  for (const [kind, places] of found) rows.push([kind, places.length]);
  const named = found.flatMap(([kind, places]) => places.slice(0, NAMED).map((place) => `${kind}: ${place}`));
  return [...table(rows), ...named].join('\n');
}

/** The end of a run: what was done, what came of it, and how to do it again. */
export function renderAttack(report: AttackReport): string {
  const { recovery, clients } = report;
  return [
    '',
    'What was done (round, due, over, what: what came of it)',
    ...report.faults.map(faultLine),
    '',
    renderFindings(report.findings),
    ...table([
      ['refused', report.refused.length],
      ['faults', report.faults.length],
      ['kills', `${report.kills}, of ${report.processesKilled} processes`],
      ['recovery', `median ${inSeconds(recovery.medianMs)}, worst ${inSeconds(recovery.worstMs)}`],
      ['lists by way', counted(clients.acknowledgedRequests)],
      ['repeats', counted(clients.retries)],
      ['ended by itself', counted(report.ownEnds)],
      ['questions', counted(report.answers)],
      ['lost answers', `of ${clients.lostRequests} lists without a key`],
      ['taken once', `${report.counters.duplicateRequests} repeats added nothing`],
      ['small disk', report.disk],
      ['seed', report.seed],
    ]),
    report.productAudit,
    ...report.trouble,
    '',
    report.clean ? 'Nothing is lost and nothing is doubled.' : 'DAMAGED',
  ].join('\n');
}

function faultLine({ round, atMs, overAtMs, what, note }: FaultReport): string {
  return `  ${round}  ${inSeconds(atMs).padStart(7)}  ${inSeconds(overAtMs).padStart(7)}  ${what}: ${note}`;
}

function counted(times: Readonly<Record<string, number>>): string {
  const told = Object.entries(times).map(([what, count]) => `${what}: ${count}`);
  return told.sort().join(', ') || 'none';
}

/** Rows of a name and a figure. */
export function table(rows: readonly [string, string | number][]): string[] {
  return rows.map(([name, figure]) => `  ${name.padEnd(16)} ${figure}`);
}

export function inSeconds(ms: number | null): string {
  return ms === null ? 'not known' : `${(ms / SECOND).toFixed(1)} s`;
}
