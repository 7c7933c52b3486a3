import type { Command } from 'commander';
import type { FindView, FoundRequest, FoundView } from '../../client';
import { AS_JSON } from '../terminal/flags';
import { count, counted } from '../../domain/format';
import { plain, print } from '../terminal/text';
import { addApiFlags, openApi, type Flags } from './api-access';

/** `keepapart find <id>`: where something is, by whichever id somebody has. Exits with 1 when nothing is known. */
export function registerFind(program: Command): void {
  addApiFlags(
    program
      .command('find')
      .description('find a record, a request, a batch or a file; exits with 1 if nothing has that id')
      .argument('<id>', 'an id, the name of a batch file, or an X-Request-Id'),
  )
    .option(...AS_JSON)
    .addHelpText(
      'after',
      '\nExamples:\n  $ keepapart find order-4711:0\n  $ keepapart find batcher-0-00000001',
    )
    .action(async (id: string, flags: Flags) => {
      const view = await openApi(flags).find(id);
      print(flags, view, renderFound);
      if (view.found.length === 0) process.exitCode = 1;
    });
}

export function renderFound({ query, found }: FindView): string {
  if (found.length === 0)
    return `Nothing is known as ${plain(query)}: it was never accepted, or it ended before the retention period.\n`;
  return `${found.flatMap(linesOf).join('\n')}\n`;
}

function linesOf(found: FoundView): string[] {
  switch (found.kind) {
    case 'record':
      return [...recordLines(found), requestLine(found.request)];
    case 'request':
      return [requestLine(found.request)];
    case 'log':
      return ['That HTTP request sent a list.', requestLine(found.request)];
    case 'batch': {
      const { batchId, state, flushReason, startedAt, saved, rolledBack } = found.batch;
      const outcome = saved === null ? '' : `, ${count(saved)} saved, ${count(rolledBack ?? 0)} rolled back`;
      return [
        `batch    ${batchId}: ${state} (${flushReason}), started ${startedAt}${outcome}`,
        ...(found.file === null ? [] : [`file     ${plain(found.file)}`]),
      ];
    }
  }
}

function recordLines({ record }: Extract<FoundView, { kind: 'record' }>): string[] {
  const { recordId, state, batchId, attempts, error, waitsFor } = record;
  const where = batchId === undefined ? '' : ` in batch ${batchId}`;
  const tries = attempts === undefined ? '' : `, attempt ${count(attempts)}`;
  return [
    `record   ${plain(recordId)}: ${state.replace('_', ' ')}${where}${tries}`,
    ...(waitsFor === undefined ? [] : [`waits    for ${plain(waitsFor.text)}`]),
    ...(error === undefined ? [] : [`error    ${plain(error)}`]),
  ];
}

function requestLine({ requestId, redriveOf, counts, records }: FoundRequest): string {
  const states = Object.entries(counts).filter(([, number]) => number > 0);
  const told = states.map(([state, number]) => `${count(number)} ${state.replace('_', ' ')}`).join(', ');
  const of = redriveOf === null ? '' : `, sends ${plain(redriveOf)} again`;
  return `request  ${plain(requestId)}: ${counted(records, 'record')} (${told})${of}`;
}
