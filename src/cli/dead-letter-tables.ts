import type { DeadLetter, RedrivenRecord, RedriveResult } from '../contracts/dead-letters';
import { colours } from './colours';

/** Longer texts are cut in a table; `--json` has them whole. */
const MAX_CELL = 60;

/** One line per dead letter, for a person; nothing in it moves the terminal. */
export function renderDeadLetters(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'There are no dead letters.\n';
  const head = ['record', 'value', 'attempts', 'rolled back at', 'batch', 'error', 'sent again as'];
  const rows = letters.map((letter) => [
    letter.recordId,
    cut(JSON.stringify(letter.value)),
    String(letter.attempts),
    letter.at,
    letter.batchId,
    cut(errorOf(letter)),
    letter.redrivenAs ?? '–',
  ]);
  return `${table([head, ...rows])}\n${letters.length} dead letters.\n`;
}

/** What a redrive did, a line for each record. */
export function renderRedrive({ redriven, alreadyRedriven, notFound }: RedriveResult): string {
  const line =
    (what: string) =>
    ({ recordId, requestId }: RedrivenRecord) =>
      `${what} ${recordId} as ${requestId}`;
  const lines = [
    ...redriven.map(line('sent again')),
    ...alreadyRedriven.map(line('was sent before')),
    ...notFound.map((recordId) => `no dead letter: ${plain(recordId)}`),
    `${redriven.length} sent again, ${alreadyRedriven.length} sent before, ${notFound.length} not found.`,
  ];
  return `${lines.join('\n')}\n`;
}

function errorOf({ error, rollbackError }: DeadLetter): string {
  return [error ?? '–', ...(rollbackError === null ? [] : [`not undone: ${rollbackError}`])].join('; ');
}

function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((text, i) => (i === 0 ? colours.dim(text) : text)).join('\n');
}

function cut(text: string): string {
  const shown = plain(text);
  return shown.length > MAX_CELL ? `${shown.slice(0, MAX_CELL - 1)}…` : shown;
}

/** Without control characters, which a store's error or a record may hold. */
function plain(text: string): string {
  return text.replace(/\p{C}/gu, ' ');
}
