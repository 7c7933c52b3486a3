import { isUnharmed, type AttackReport } from './attack';

/** What an attack found, for people. */
export function renderAttack(report: AttackReport): string {
  const { recoveryMs, faults } = report;
  const sorted = [...recoveryMs].sort((a, b) => a - b);
  const seconds = (ms: number | undefined) => (ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`);
  const rows: [string, string | number][] = [
    ['seed', report.seed],
    ['records acknowledged', report.acknowledged],
    ['outcomes', report.outcomes],
    ['rolled back', report.rolledBack],
    ['files', report.files],
    ['missing (G4)', report.missing],
    ['doubled (G4)', report.doubled],
    ['never acknowledged (G5)', report.unknown],
    ['files over size (G1)', report.overSize],
    ['files that break a rule (G2)', report.conflicting],
    ['answers that no client may see', report.surprises.length],
    ['requests sent again', report.repeats],
    ['runs of the batcher', report.continuedAsNew + 1],
    ['batches that closed early', report.batchesTerminated],
    ['kills', report.kills],
    ['recovery, median', seconds(sorted[Math.floor(sorted.length / 2)])],
    ['recovery, worst', seconds(sorted.at(-1))],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(32)} ${value}`);
  const done = Object.entries(faults).map(([kind, times]) => `  ${kind.padEnd(32)} ${times}`);
  const verdict = isUnharmed(report) ? 'unharmed: one outcome for every record' : 'DAMAGE';
  return [...lines, '', ...done, '', verdict, ...report.surprises.slice(0, 5), ''].join('\n');
}
