import type { Command } from 'commander';
import type { DeadLetter, DeadLetterPage, RedriveResult } from '../contracts/dead-letters';
import { KeepapartError } from '../domain/errors';
import { apiTarget, createApiClient, type ApiClient } from './api-client';
import { renderDeadLetters, renderRedrive } from './dead-letter-tables';
import { addSettingFlags, readOperatorConfig } from './read-config';

type Flags = Readonly<Record<string, unknown>>;

const API_URL = [
  '--url <url>',
  'where the API is (default: http://HTTP_HOST:HTTP_PORT, https with TLS_CERT_FILE)',
] as const;
const AS_JSON = ['--json', 'as JSON'] as const;
const BY = ['--by <name>', 'who does it, for the history'] as const;

/** `keepapart dead-letters` and `keepapart redrive`: through the HTTP API, with the key of `KEEPAPART_API_KEY`. */
export function registerDeadLetters(program: Command): void {
  addSettingFlags(program.command('dead-letters').description('print the records that were rolled back'))
    .option('--request <requestId>', 'only those of this request')
    .option('--batch <batchId>', 'only those of this batch')
    .option('--all', 'also those that were sent again')
    .option(...AS_JSON)
    .option(...API_URL)
    .action(async (flags: Flags) => {
      const letters = await listAll(clientOf(flags), flags);
      const text =
        flags['json'] === true ? `${JSON.stringify(letters, null, 2)}\n` : renderDeadLetters(letters);
      process.stdout.write(text);
    });

  addSettingFlags(
    program
      .command('redrive')
      .description('send rolled-back records again, each once')
      .argument('[recordId...]', 'the records'),
  )
    .option('--request <requestId>', 'those of this request')
    .option('--batch <batchId>', 'those of this batch')
    .option('--all', 'all that there are')
    .option(...BY)
    .option(...AS_JSON)
    .option(...API_URL)
    .action(async (records: string[], flags: Flags) => {
      const body = { ...selectionOf(records, flags), ...(flags['by'] !== undefined && { by: flags['by'] }) };
      const result = await clientOf(flags).post<RedriveResult>('/v1/dead-letters/redrive', body);
      process.stdout.write(
        flags['json'] === true ? `${JSON.stringify(result, null, 2)}\n` : renderRedrive(result),
      );
      // What was named and isn't there may be a mistake; whoever scripts this must notice.
      if (result.notFound.length > 0) process.exitCode = 1;
    });
}

function clientOf(flags: Flags): ApiClient {
  return createApiClient(apiTarget(readOperatorConfig(flags).config, flags['url']));
}

/** Every page. */
async function listAll(api: ApiClient, flags: Flags): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  const query = new URLSearchParams({ limit: '200', redriven: flags['all'] === true ? 'any' : 'false' });
  if (typeof flags['request'] === 'string') query.set('requestId', flags['request']);
  if (typeof flags['batch'] === 'string') query.set('batchId', flags['batch']);
  for (;;) {
    const page = await api.get<DeadLetterPage>(`/v1/dead-letters?${query.toString()}`);
    letters.push(...page.deadLetters);
    if (page.nextCursor === null) return letters;
    query.set('cursor', page.nextCursor);
  }
}

function selectionOf(records: readonly string[], flags: Flags): object {
  const ways = [
    ...(records.length > 0 ? [{ records }] : []),
    ...(flags['batch'] === undefined ? [] : [{ batchId: flags['batch'] }]),
    ...(flags['request'] === undefined ? [] : [{ requestId: flags['request'] }]),
    ...(flags['all'] === true ? [{ all: true }] : []),
  ];
  const [way] = ways;
  if (way !== undefined && ways.length === 1) return way;
  throw new KeepapartError(
    'invalid-config',
    'Tell in one way what is to be sent again: by recordIds, --batch, --request or --all.',
  );
}
