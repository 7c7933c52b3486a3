import { colours } from '../../terminal/colours';
import type { BatchView } from '../../../contracts/api/answers/batches';
import { RECORD_STATE, type RecordState } from '../../../contracts/api/states';
import type { FollowedRecord } from './follow';

const SHOWN_STATE: Record<RecordState, (text: string) => string> = {
  [RECORD_STATE.buffered]: colours.dim,
  [RECORD_STATE.inBatch]: colours.yellow,
  [RECORD_STATE.saved]: colours.green,
  [RECORD_STATE.rolledBack]: colours.red,
};

/** The live view: one line per record. `width` keeps each on its line, so that the view can be drawn over itself. */
export function renderRecords(records: readonly FollowedRecord[], width: number): string {
  const head = `  ${'client'.padEnd(7)} ${'record'.padEnd(7)} ${'state'.padEnd(12)} ${'attempt'.padEnd(8)} batch`;
  const lines = records.map(({ client, value, view }) => {
    const state = SHOWN_STATE[view.state](view.state.replace('_', ' ').padEnd(12));
    const attempt = String(view.attempts ?? '').padEnd(8);
    const error = view.error === undefined ? '' : `  ${view.error}`;
    const fixed = `  ${String(client).padEnd(7)} ${JSON.stringify(value).padEnd(7)} `;
    const rest = `${attempt}${view.batchId ?? ''}`;
    const room = Math.max(0, width - fixed.length - 13 - rest.length - 1);
    return `${fixed}${state} ${rest}${colours.dim(error.slice(0, room))}`;
  });
  return [colours.dim(head), ...lines, ''].join('\n');
}

/** Each batch with its file's content, given by `linesOf`. */
export function renderFiles(
  batches: readonly BatchView[],
  linesOf: (batch: BatchView) => readonly string[],
): string {
  return batches
    .flatMap((batch) => [
      `  ${colours.bold(batch.file ?? batch.batchId)} ${colours.dim(`(${batch.flushReason})`)}`,
      ...linesOf(batch).map(
        (line) => `    ${line.includes('success') ? colours.green(line) : colours.red(line)}`,
      ),
      '',
    ])
    .join('\n');
}

export function renderTotals(records: readonly FollowedRecord[]): string {
  const of = (state: RecordState) => records.filter(({ view }) => view.state === state);
  const list = (some: readonly FollowedRecord[]) =>
    some.map(({ value }) => JSON.stringify(value)).join(' ') || '–';
  const retried = records.filter(({ view }) => (view.attempts ?? 1) > 1);
  return [
    `  ${'retried'.padEnd(12)} ${retried.length} of ${records.length}: ${list(retried)}`,
    `  ${'saved'.padEnd(12)} ${of('saved').length}: ${colours.green(list(of('saved')))}`,
    `  ${'rolled back'.padEnd(12)} ${of('rolled_back').length}: ${colours.red(list(of('rolled_back')))}`,
    '',
  ].join('\n');
}
