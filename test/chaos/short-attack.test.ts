import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../helpers/system';
import { KEPT, type AttackReport } from './attack';
import type { ScheduledFault } from './schedule';

/** The attack in little, for every run of the tests; chaos.test.ts has each kind of fault (`npm run test:attack`). */
jest.setTimeout(600_000);

const SCRIPT = path.resolve(__dirname, '../../scripts/chaos.mjs');
const SECONDS = '12';
const FAULTS: ScheduledFault[] = [
  { atMs: 1000, fault: { kind: 'kill worker', whom: 'worker-1', at: 'before publishing' } },
  { atMs: 3000, fault: { kind: 'lose replies', whom: 'api-2', forMs: 500 } },
  { atMs: 5000, fault: { kind: 'kill api', whom: 'api-1', afterMs: 5 } },
  { atMs: 7000, fault: { kind: 'terminate child', which: 0.5 } },
  { atMs: 9000, fault: { kind: 'kill everything' } },
];

test('G1, G2, G3, G4, G5, G9, G10: nothing is lost, doubled, conflicting or torn through a few kills, and a loss is seen.', async () => {
  const folder = await temporaryFolder();
  try {
    const attacked = path.join(folder.path, 'attacked');
    const reportFile = path.join(folder.path, 'report.json');
    const child = spawn(
      process.execPath,
      [
        SCRIPT,
        ...['--seed', '1', '--duration', SECONDS, '--round', SECONDS, '--slow', '1', '--rate', '8'],
        ...['--faults', JSON.stringify(FAULTS), '--folder', attacked, '--report', reportFile],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [exitCode] = (await once(child, 'close')) as [number | null];
    if (!existsSync(reportFile)) throw new Error(output);
    const report = JSON.parse(readFileSync(reportFile, 'utf8')) as AttackReport;

    expect(Object.values(report.findings.damage).flat()).toEqual([]);
    expect(report.productAudit).toBe('');
    expect(report.refused).toEqual([]);
    expect(report.faults).toHaveLength(FAULTS.length);
    expect(report.findings.acknowledged).toBeGreaterThan(20);
    expect(report.findings.rolledBack).toBeGreaterThan(0);
    expect(exitCode).toBe(0);

    const out = path.join(attacked, KEPT.out);
    const first = readdirSync(out).find((name) => name.endsWith('.log'));
    rmSync(path.join(out, first ?? 'there is none'));
    const audit = spawnSync(process.execPath, [SCRIPT, '--audit', attacked], { encoding: 'utf8' });
    expect(audit).toMatchObject({ status: 1, stdout: expect.stringMatching(/missing +[1-9]/) });
  } finally {
    await folder.remove();
  }
});
