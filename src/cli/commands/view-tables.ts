import type { BatchSummary, BatchView, JsonValue, RecordView, RequestView } from '../../client';
import { count, cut, plain, table } from '../terminal/table';

/** A longer list is cut for a person; `--json` has it whole. */
const MAX_ROWS = 500;

/** A line for each batch. */
export function renderBatches(batches: readonly BatchSummary[]): string {
  if (batches.length === 0) return 'There are no such batches.\n';
  const head = ['batch', 'state', 'reason', 'saved', 'rolled back', 'retries', 'started at', 'closed at'];
  const rows = batches.map((batch) => [
    batch.batchId,
    batch.state,
    batch.flushReason,
    ...[batch.saved, batch.rolledBack, batch.retries].map(known),
    batch.startedAt,
    known(batch.closedAt),
  ]);
  return `${table([head, ...rows], [3, 4, 5])}\n`;
}

/** What is known of a batch, and a line for each of its records. */
export function renderBatch(batch: BatchView): string {
  const about = [
    `batch     ${batch.batchId} (${batch.state}, ${batch.flushReason}), by ${batch.batcher}`,
    `started   ${batch.startedAt}, closed ${known(batch.closedAt)}`,
    `file      ${known(batch.file)}`,
    `requests  ${plain(batch.requestIds.join(', '))}`,
    `cut       ${batch.cut.text}`,
    `saving    ${batch.saving.text}`,
    ...batch.work.map(({ text }) => `now       ${plain(text)}`),
  ];
  const head = ['record', 'value', 'outcome', 'attempts', 'error'];
  const rows = batch.records.map(({ recordId, value, outcome, attempts, error }) => [
    recordId,
    cut(JSON.stringify(value)),
    known(outcome),
    known(attempts),
    known(error),
  ]);
  return `${about.join('\n')}\n\n${table([head, ...rows], [3])}\n`;
}

/** How many records of a request are where, and a line for each; `values` in the order of the records, where known. */
export function renderRequest(view: RequestView, values?: readonly JsonValue[]): string {
  const { requestId, redriveOf, counts, records } = view;
  const of = redriveOf === undefined ? '' : `, sends ${plain(redriveOf)} again`;
  const sums = Object.entries(counts).map(([state, number]) => `${count(number)} ${state.replace('_', ' ')}`);
  const head = ['record', ...(values ? ['value'] : []), 'state', 'attempts', 'batch', 'error', 'waits for'];
  const rows = records
    .slice(0, MAX_ROWS)
    .map((record, index) => [
      record.recordId,
      ...(values ? [cut(JSON.stringify(values[index] ?? null))] : []),
      ...placeOf(record),
    ]);
  const more = records.length > MAX_ROWS ? `… and ${count(records.length - MAX_ROWS)} more\n` : '';
  return `request ${plain(requestId)}${of}: ${sums.join(', ')}\n${table([head, ...rows])}\n${more}`;
}

function placeOf({ state, attempts, batchId, error, waitsFor }: RecordView): string[] {
  return [state.replace('_', ' '), known(attempts), known(batchId), known(error), known(waitsFor?.text)];
}

function known(value: string | number | null | undefined): string {
  return value === null || value === undefined ? '–' : plain(String(value));
}
