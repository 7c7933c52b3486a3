import type { DeadLetter, RedrivenRecord, RedriveResult } from '../../contracts/api/dead-letters';
import { counted, cut, plain, table } from '../terminal/table';

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
    plain(errorOf(letter)),
    letter.redrivenAs ?? '–',
  ]);
  return `${table([head, ...rows])}\n${counted(letters.length, 'dead letter')}.\n`;
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
