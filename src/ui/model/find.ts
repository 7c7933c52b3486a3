import type { RecordView, RequestView } from '../../contracts/api/answers/requests';
import { counted } from '../../domain/format';

/** A record's life so far, a step a line. */
export function lifeOf({ state, attempts, error, batchId, waitsFor }: RecordView): string[] {
  const tries = attempts === undefined ? '' : ` after ${counted(attempts, 'attempt')}`;
  switch (state) {
    case 'buffered':
      return [
        'Accepted and durable.',
        waitsFor === undefined ? 'Waiting in the buffer.' : `Waits for ${waitsFor.text}.`,
      ];
    case 'in_batch':
      return [
        `In batch ${batchId ?? 'that is being started'}.`,
        attempts === undefined ? 'Its save is in progress.' : `Attempt ${attempts} runs or is waited for.`,
        ...(error === undefined ? [] : [`The last attempt failed: ${error}`]),
      ];
    case 'saved':
      return [`Saved${tries}, in batch ${batchId ?? 'unknown'}.`];
    case 'rolled_back':
      return [
        `Rolled back${tries}, in batch ${batchId ?? 'unknown'}.`,
        ...(error === undefined ? [] : [`The last attempt failed: ${error}`]),
      ];
  }
}

/** A request in one sentence. */
export function requestInWords({ counts, records }: RequestView): string {
  const parts = [
    [counts.buffered, 'buffered'],
    [counts.in_batch, 'in a batch'],
    [counts.saved, 'saved'],
    [counts.rolled_back, 'rolled back'],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  return `${counted(records.length, 'record')}: ${told.join(', ') || 'none'}`;
}
