import type { RecordView, RequestView } from '../../contracts/api/views';
import { counted } from './format';

/** What an id may be of, in the order in which it is looked up. */
export interface Lookup {
  kind: 'record' | 'request' | 'batch';
  id: string;
  /** Of a record: its place in its request. */
  index?: number;
}

/**
 * What somebody may mean by a text: a file's name gives its batch, `<request>:<index>` a record, anything else is a
 * request or a batch.
 */
export function lookupsOf(query: string): Lookup[] {
  const text = query.trim();
  if (text === '') return [];
  const file = /test_log_\d+_(.+)\.log$/.exec(text)?.[1];
  if (file !== undefined) return [{ kind: 'batch', id: file }];
  const record = /^(.+):(\d+)$/.exec(text);
  const whole: Lookup[] = [
    { kind: 'request', id: text },
    { kind: 'batch', id: text },
  ];
  const [, request, index] = record ?? [];
  return request === undefined ? whole : [{ kind: 'record', id: request, index: Number(index) }, ...whole];
}

/** A record's life so far, a step a line. */
export function lifeOf({ state, attempts, error, batchId, waitsFor }: RecordView): string[] {
  const tries = attempts === undefined ? '' : ` after ${counted(attempts, 'attempt')}`;
  switch (state) {
    case 'buffered':
      return [
        'Accepted and durable.',
        waitsFor === undefined ? 'Waits in the buffer.' : `Waits for ${waitsFor.text}.`,
      ];
    case 'in_batch':
      return [
        `In batch ${batchId ?? 'that is being started'}.`,
        attempts === undefined ? 'Its save is under way.' : `Attempt ${attempts} runs or is waited for.`,
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
