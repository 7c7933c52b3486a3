import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditedTemporal } from '../../src/embed/audit/audited-temporal';
import { renderAudit } from '../../src/cli/commands/audit/render-audit';
import { runAudit } from '../../src/embed/audit/run-audit';
import { loadConfig } from '../../src/config';
import { nothingFound, type ShardSum } from '../../src/domain/audit/report';

/** The sum of every batcher is part of an audit (G4). */
const SUM: ShardSum = {
  batcher: 'batcher-0',
  accepted: 10,
  saved: 4,
  rolledBack: 1,
  lost: 1,
  bufferedRecords: 2,
  inFlightRecords: 2,
  unaccounted: 0,
};

let outDir: string;
beforeEach(() => (outDir = mkdtempSync(join(tmpdir(), 'keepapart-sums-'))));
afterEach(() => rmSync(outDir, { recursive: true }));

/** A server without batches, whose batchers have these sums. */
function auditWith(sums: ShardSum[], silentBatchers: string[] = []) {
  const temporal: AuditedTemporal = {
    namespace: 'default',
    batcherId: 'batcher',
    readBatches: () =>
      Promise.resolve({
        listed: new Map(),
        cutBy: new Map(),
        report: {
          completed: 0,
          running: 0,
          closedWithFile: 0,
          forgotten: 0,
          unlistedFiles: 0,
          abandonedRecords: 0,
          damage: { fileMissing: nothingFound(), fileDiffers: nothingFound(), abandoned: nothingFound() },
        },
      }),
    readCut: () => Promise.resolve(undefined),
    findWaiting: () => Promise.resolve({ recordIds: new Set(), silentBatchers: [] }),
    readSums: () => Promise.resolve({ sums, silentBatchers }),
  };
  const { config } = loadConfig({ env: { KEEPAPART_OUT_DIR: outDir } });
  return runAudit({ config, ledgers: [], temporal });
}

test('An audit of batchers whose sums add up is clean and shows the figures of all of them.', async () => {
  const report = await auditWith([SUM, { ...SUM, batcher: 'batcher-1' }]);
  expect(report).toMatchObject({ clean: true, sums: [{ batcher: 'batcher-0' }, { batcher: 'batcher-1' }] });
  expect(renderAudit(report)).toMatch(/ 20 {2}records accepted by the open batchers/);
});

test('An audit calls it damage when a batcher misses records or has too many, and names the batcher.', async () => {
  const report = await auditWith([
    { ...SUM, unaccounted: 2 },
    { ...SUM, batcher: 'batcher-1', unaccounted: -2 },
  ]);
  expect(report.clean).toBe(false);
  const text = renderAudit(report);
  expect(text).toMatch(/ 4 {2}of these unaccounted for/);
  expect(text).toContain('  batcher-0: 2 records; accepted 10, saved 4,');
  expect(text).toContain('  batcher-1: -2 records; accepted 10, saved 4,');
});

test('An audit names the batchers whose sums it could not check.', async () => {
  const report = await auditWith([], ['batcher-0']);
  expect(report).toMatchObject({ clean: true, silentBatchers: ['batcher-0'] });
  expect(renderAudit(report)).toContain('batcher-0 did not answer');
});
