import { setTimeout as sleep } from 'node:timers/promises';
import { KeepapartClient } from '../../../client';
import type { Config } from '../../../config';
import { createAudit, readLines } from '../../../domain/audit/audit';
import { createLedger } from '../../../domain/audit/ledger';
import { isClean, type FileReport } from '../../../domain/audit/report';
import { MINUTE } from '../../../domain/duration';
import { auditedNames, readAuditedFiles, valueKey } from '../../../store/audited-files';

/** What a profile showed. */
export interface Measured {
  /** From the first request to the last batch file. */
  perSecond: number;
  /** From a record's acknowledgement to when its file was seen, which is up to {@link LOOK_EVERY_MS} late. */
  p50Ms: number;
  p99Ms: number;
  /** What the files show, held against what was acknowledged. */
  report: FileReport;
  clean: boolean;
}

export interface Load {
  records: number;
  apiUrl: string;
  apiKey: string;
  config: Pick<Config, 'outDir' | 'maxBatchSize' | 'conflicts'>;
  signal: AbortSignal;
}

const LIST_SIZE = 100;
const CALLERS = 4;
const LOOK_EVERY_MS = 50;
/** How long the last records may take once nothing has come to an end. */
const GIVE_UP_AFTER_MS = 2 * MINUTE;

/** Sends records in lists of a hundred, a tenth of them `1` and a tenth `2`, and follows them to their files. */
export async function measureLoad({ records, apiUrl, apiKey, config, signal }: Load): Promise<Measured> {
  const client = new KeepapartClient({ url: apiUrl, apiKey });
  const collected = createLedger(valueKey);
  const ackedAtMs = new Map<string, number>();
  const endedAtMs = new Map<string, number>();
  const audit = createAudit({
    maxBatchSize: config.maxBatchSize,
    rules: config.conflicts,
    keyOf: valueKey,
    ledger: collected.ledger,
  });
  const seen = new Set<string>();

  async function look(): Promise<void> {
    const names = (await auditedNames(config.outDir)).filter(({ name }) => !seen.has(name));
    for await (const file of readAuditedFiles(config.outDir, names)) {
      seen.add(file.name);
      audit.add(file);
      if (typeof file.content !== 'string') continue;
      for (const { recordId } of readLines(file.content).lines)
        if (recordId !== undefined) endedAtMs.set(recordId, performance.now());
    }
  }

  let next = 0;
  async function sendLists(): Promise<void> {
    while (next < records) {
      const values = Array.from({ length: Math.min(LIST_SIZE, records - next) }, (_, i) => valueOf(next + i));
      next += values.length;
      const answer = await client.send(values, { signal });
      for (const { recordId, value } of answer.records) {
        ackedAtMs.set(recordId, performance.now());
        collected.add(JSON.stringify({ recordId, value }));
      }
    }
  }

  const startedAtMs = performance.now();
  const sending = Promise.all(Array.from({ length: CALLERS }, sendLists));
  const refused = new AbortController();
  sending.catch(() => refused.abort());
  let ended = 0;
  let progressAtMs = startedAtMs;
  while (ended < records && !refused.signal.aborted) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    await look();
    if (endedAtMs.size > ended) progressAtMs = performance.now();
    ended = endedAtMs.size;
    if (performance.now() - progressAtMs > GIVE_UP_AFTER_MS) break;
  }
  await sending;
  const report = audit.report();
  return {
    ...timesOf(startedAtMs, ackedAtMs, endedAtMs),
    report,
    clean: isClean(report.damage) && report.acknowledged === records,
  };
}

function valueOf(index: number): number {
  const digit = index % 10;
  return digit === 0 ? 1 : digit === 5 ? 2 : index + 1000;
}

function timesOf(
  startedAtMs: number,
  ackedAtMs: ReadonlyMap<string, number>,
  endedAtMs: ReadonlyMap<string, number>,
): Pick<Measured, 'perSecond' | 'p50Ms' | 'p99Ms'> {
  const latencies = [...endedAtMs]
    // A record's file may be seen before the answer to its list.
    .map(([recordId, ended]) => Math.max(0, ended - (ackedAtMs.get(recordId) ?? ended)))
    .sort((a, b) => a - b);
  const quantile = (share: number) => latencies[Math.ceil(latencies.length * share) - 1] ?? NaN;
  const last = [...endedAtMs.values()].reduce((a, b) => Math.max(a, b), startedAtMs);
  return {
    perSecond: (latencies.length / (last - startedAtMs)) * 1000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}
