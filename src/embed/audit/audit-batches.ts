import { WorkflowNotFoundError } from '@temporalio/client';
import { emptyBatchReport, problemOfCompleted, settles } from '../../domain/audit/batches';
import { note, type BatchReport } from '../../domain/audit/report';
import { portions } from '../../domain/portions';
import type { CutBy } from '../../domain/rules/cut-by';
import { batchFileName } from '../../domain/records/outcome';
import { readAuditedFile } from '../../store/audited-files';
import type { ListedBatch } from '../../temporal/children/all-batches';
import type { BatchReader, BatchRun } from '../../temporal/children/batch-reader';
import type { AuditWatch } from './audit-watch';

const READS_AT_ONCE = 16;

/** Adds what was found to the report. Applied in the order of the batches, whichever was read first. */
type Verdict = (report: BatchReport) => void;

/** What was recorded with the batches that were read, by batch id. */
export type CutByBatch = Map<string, CutBy>;

/**
 * Holds every batch that Temporal lists against its file: its input and its result say what must be in it. What each was
 * cut by is noted, for whoever judges the files.
 */
export async function auditBatches(
  batches: readonly ListedBatch[],
  reader: BatchReader,
  outDir: string,
  watch?: AuditWatch,
): Promise<{ report: BatchReport; cutBy: CutByBatch }> {
  const report = emptyBatchReport();
  const cutBy: CutByBatch = new Map();
  const noting = notingCuts(reader, cutBy);
  let done = 0;
  for (const together of portions(batches, { items: READS_AT_ONCE })) {
    await watch?.step({ stage: 'batches', done, of: batches.length });
    done += together.length;
    const verdicts = await Promise.all(together.map((batch) => judge(batch, noting, outDir)));
    for (const verdict of verdicts) verdict(report);
  }
  return { report, cutBy };
}

/** A reader that notes what the batches that it reads were cut by; equal ones share their memory. */
function notingCuts(reader: BatchReader, cutByBatch: CutByBatch): BatchReader {
  const shared = new Map<string, CutBy>();
  return {
    ...reader,
    async input(batch) {
      const input = await reader.input(batch);
      const { cutBy } = input;
      const text = JSON.stringify(cutBy);
      const known = shared.get(text) ?? cutBy;
      shared.set(text, known);
      cutByBatch.set(batch.batchId, known);
      return input;
    },
  };
}

async function judge(batch: ListedBatch, reader: BatchReader, outDir: string): Promise<Verdict> {
  const running: Verdict = (report) => report.running++;
  const forgotten: Verdict = (report) => report.forgotten++;
  try {
    if (batch.state === 'completed') return await judgeCompleted(batch, reader, outDir);
    if (batch.state === 'running') return running;
    // Listings lag: a terminated batch may have a successor by now.
    const now = (await reader.facts(batch.batchId))?.summary;
    if (now === undefined) return forgotten;
    if (now.state === 'completed') return await judgeCompleted(now, reader, outDir);
    return now.state === 'running' ? running : await judgeAbandoned(now, reader, outDir);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return forgotten;
    throw error;
  }
}

async function judgeCompleted(batch: BatchRun, reader: BatchReader, outDir: string): Promise<Verdict> {
  const { batchId } = batch;
  const [{ batch: started, outcomeFormat }, { outcomes, location: file }] = await Promise.all([
    reader.input(batch),
    reader.result(batch),
  ]);
  const content = await readAuditedFile(outDir, file);
  const completed = { records: started.records, outcomes, format: outcomeFormat };
  const problem = typeof content === 'string' ? problemOfCompleted(completed, content) : content?.problem;
  return (report) => {
    report.completed++;
    if (content === undefined) note(report.damage.fileMissing, { batchId, file });
    else if (problem !== undefined) note(report.damage.fileDiffers, { batchId, file, problem });
  };
}

/** A batch may have been terminated when its file was there already: then its records have their outcomes. */
async function judgeAbandoned(batch: BatchRun, reader: BatchReader, outDir: string): Promise<Verdict> {
  const { batchId } = batch;
  const { batch: started } = await reader.input(batch);
  const content = await readAuditedFile(outDir, batchFileName(started));
  if (typeof content === 'string' && settles(started.records, content)) {
    return (report) => report.closedWithFile++;
  }
  const records = started.records.length;
  return (report) => {
    note(report.damage.abandoned, { batchId, records });
    report.abandonedRecords += records;
  };
}
