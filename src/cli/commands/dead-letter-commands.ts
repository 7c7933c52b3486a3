import type { Command } from 'commander';
import type { DeadLetter, RedrivenRecord, RedriveResult, RedriveSelection } from '../../client';
import { counted } from '../../domain/format';
import { table, timeText } from '../terminal/table';
import { KeepapartError } from '../../domain/errors';
import { addApiFlags, openApi, type Flags } from './api-access';
import { AS_JSON, BY } from '../terminal/flags';
import { plain, print } from '../terminal/text';

/** As many as a page may have. */
const PAGE_SIZE = 200;

/** `keepapart dead-letters` and `keepapart redrive`: through the HTTP API, with the key of `KEEPAPART_API_KEY`. */
export function registerDeadLetters(program: Command): void {
  addApiFlags(program.command('dead-letters').description('print the records that were rolled back'))
    .option('--request <requestId>', 'only records of this request')
    .option('--batch <batchId>', 'only records of this batch')
    .option('--all', 'include records that were sent again')
    .option(...AS_JSON)
    .addHelpText('after', '\nExample:\n  $ keepapart dead-letters --request order-4711')
    .action(async (flags: Flags) => print(flags, await listAll(flags), renderDeadLetters));

  addApiFlags(
    program
      .command('redrive')
      .description('send rolled-back records again, each once')
      .argument('[recordId...]', 'the records'),
  )
    .option('--request <requestId>', 'all records of this request')
    .option('--batch <batchId>', 'all records of this batch')
    .option('--all', 'all dead letters')
    .option(...BY)
    .option(...AS_JSON)
    .addHelpText('after', '\nExample:\n  $ keepapart redrive order-4711:0 order-4711:3 --by Ann')
    .action(async (records: string[], flags: Flags & { by?: string }) => {
      const result = await openApi(flags).redrive(selectionOf(records, flags), { by: flags.by });
      print(flags, result, renderRedrive);
      // What was named and isn't there may be a mistake; whoever scripts this must notice.
      if (result.notFound.length > 0) process.exitCode = 1;
    });
}

/** Every page. */
async function listAll(flags: Flags): Promise<DeadLetter[]> {
  const { request, batch } = flags;
  const all = openApi(flags).deadLetters({
    pageSize: PAGE_SIZE,
    redriven: flags['all'] === true ? 'any' : 'false',
    ...(typeof request === 'string' && { requestId: request }),
    ...(typeof batch === 'string' && { batchId: batch }),
  });
  const letters: DeadLetter[] = [];
  for await (const letter of all) letters.push(letter);
  return letters;
}

function selectionOf(records: readonly string[], flags: Flags): RedriveSelection {
  const { batch, request } = flags;
  const ways: RedriveSelection[] = [
    ...(records.length > 0 ? [{ records }] : []),
    ...(typeof batch === 'string' ? [{ batchId: batch }] : []),
    ...(typeof request === 'string' ? [{ requestId: request }] : []),
    ...(flags['all'] === true ? [{ all: true as const }] : []),
  ];
  const [way] = ways;
  if (way !== undefined && ways.length === 1) return way;
  throw new KeepapartError(
    'invalid-config',
    'Say in one way what to send again: by recordIds, --batch, --request or --all.',
  );
}

/** One line per dead letter, for a person; nothing in it moves the terminal. */
function renderDeadLetters(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'There are no dead letters.\n';
  const head = ['record', 'value', 'attempts', 'rolled back at', 'batch', 'error', 'sent again as'];
  const rows = letters.map((letter) => [
    letter.recordId,
    JSON.stringify(letter.value),
    String(letter.attempts),
    timeText(letter.at),
    letter.batchId,
    plain(errorOf(letter)),
    letter.redrivenAs ?? '–',
  ]);
  return `${table([head, ...rows])}\n${counted(letters.length, 'dead letter')}.\n`;
}

/** What a redrive did, a line for each record. */
function renderRedrive({ redriven, alreadyRedriven, notFound }: RedriveResult): string {
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
