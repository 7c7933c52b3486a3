import type { BatchSummary, BatchView, JsonValue, RecordView, RequestView } from '../../client';
import type { BatchState, RecordState } from '../../contracts/api/states';
import { count } from '../../domain/format';
import { colours } from '../terminal/colours';
import { table, timeText, type Cell } from '../terminal/table';
import { plain } from '../terminal/text';

/** A longer list is cut for a person; `--json` has it whole. */
const MAX_ROWS = 500;

/** A line for each batch. */
export function renderBatches(batches: readonly BatchSummary[]): string {
  if (batches.length === 0) return 'There are no such batches.\n';
  const head = ['batch', 'state', 'reason', 'saved', 'rolled back', 'retries', 'started at', 'closed at'];
  const rows = batches.map((batch): Cell[] => [
    batch.batchId,
    stateCell(batch.state),
    batch.flushReason,
    known(batch.saved),
    rolledBackCell(batch.rolledBack),
    known(batch.retries),
    timeText(batch.startedAt),
    batch.closedAt === null ? '–' : timeText(batch.closedAt),
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
  const rows = batch.records.map(({ recordId, value, outcome, attempts, error }): Cell[] => [
    recordId,
    JSON.stringify(value),
    stateCell(outcome),
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
    .map((record, index): Cell[] => [
      record.recordId,
      ...(values ? [JSON.stringify(values[index] ?? null)] : []),
      ...placeOf(record),
    ]);
  const more = records.length > MAX_ROWS ? `… and ${count(records.length - MAX_ROWS)} more\n` : '';
  return `request ${plain(requestId)}${of}: ${sums.join(', ')}\n${table([head, ...rows])}\n${more}`;
}

function placeOf({ state, attempts, batchId, error, waitsFor }: RecordView): Cell[] {
  return [stateCell(state), known(attempts), known(batchId), known(error), known(waitsFor?.text)];
}

function known(value: string | number | null | undefined): string {
  return value === null || value === undefined ? '–' : plain(String(value));
}

/** What is done well is green, what is lost for now is red, and what is under way is as it is. */
function stateCell(state: BatchState | RecordState | null): Cell {
  const text = known(state).replace('_', ' ');
  if (state === 'saved' || state === 'completed') return { text, paint: colours.green };
  return state === 'rolled_back' || state === 'failed' ? { text, paint: colours.red } : text;
}

function rolledBackCell(records: number | null): Cell {
  return (records ?? 0) > 0 ? { text: known(records), paint: colours.red } : known(records);
}
