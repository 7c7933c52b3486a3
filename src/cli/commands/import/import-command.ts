import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { KeepapartApiError, KeepapartSourceError, type Retry, type StreamResult } from '../../../client';
import { isKeepapartError, KeepapartError } from '../../../domain/errors';
import { addApiFlags, openApi, requireKey, retryFor, tellRetry, type Flags } from '../api-access';
import { isClientError, tellClientError } from '../../process/client-errors';
import { AS_JSON } from '../../terminal/flags';
import { keyOfContent } from './file-key';
import { toNdjson, type ReadAs } from './formats';
import { openImport, type ImportFile } from './import-file';
import { durationOf, importProgress } from './import-progress';
import { inLinesOfFile } from './place-in-file';
import { addFormatFlags, readAsOf, type FormatFlags } from './read-as';
import { createSourceLines, type SourceLines } from './source-lines';
import { count, counted } from '../../../domain/format';
import { plain, print } from '../../terminal/text';
import { untilInterrupted } from '../../process/until-interrupted';

interface ImportFlags extends Flags, FormatFlags {
  key?: string;
}

/** `keepapart import`: the records of a file, or of standard input, as one request of any length. */
export function registerImport(program: Command): void {
  addFormatFlags(
    addApiFlags(
      program
        .command('import')
        .description('send all records of a file as one request')
        .argument('<file>', 'NDJSON, a JSON list or CSV; - for standard input'),
    ),
  )
    .option('--key <key>', "Idempotency-Key of the import (default: from the file's content)")
    .option('--retry-for <seconds>', 'how long to retry without progress', '300')
    .option(...AS_JSON)
    .addHelpText(
      'after',
      [
        '\nThe same content has the same key: after a break the same command goes on where it was, and a repeat adds',
        'nothing. To send the same file once more on purpose, give it another --key.',
        '\nExamples:',
        '  $ keepapart import orders.ndjson',
        '  $ keepapart import stock.csv --column sku',
        '  $ zcat orders.ndjson.gz | keepapart import - --key orders-2026-11-23',
      ].join('\n'),
    )
    .action(async (name: string, flags: ImportFlags) => {
      const readAs = readAsOf(name, flags);
      if (flags.key !== undefined) requireKey(flags.key);
      const file = await openImport(name, process.stdin);
      try {
        await untilInterrupted((signal) => importFile(file, readAs, flags, signal));
      } finally {
        await file.close();
      }
    });
}

async function importFile(
  file: ImportFile,
  readAs: ReadAs,
  flags: ImportFlags,
  signal: AbortSignal,
): Promise<void> {
  const progress = importProgress(process.stderr, file);
  const onRetry = (retry: Retry) => {
    progress.end();
    tellRetry(retry);
  };
  const client = openApi(flags, { ...retryFor(flags['retryFor']), onRetry });
  const key = await keyOf(file, readAs, flags.key);
  const startedMs = performance.now();
  let lines = createSourceLines();
  const pieces = () => toNdjson(file.read(), readAs, (lines = createSourceLines()));
  let result: StreamResult;
  try {
    result = await client.streamNdjson(file.note === undefined ? pieces() : pieces, {
      idempotencyKey: key,
      signal,
      onProgress: progress.sent,
      onAccepted: progress.accepted,
    });
  } catch (error) {
    progress.end();
    const reason = signal.aborted ? 'interrupted' : reasonOf(inFile(error, readAs, lines));
    if (reason === undefined) throw error;
    process.stderr.write(
      `keepapart: ${[`${file.name}: ${reason}`, ...whatIsThere(error, key)].join('\n  ')}\n`,
    );
    process.exitCode = 1;
    return;
  }
  progress.end();
  const elapsedMs = Math.round(performance.now() - startedMs);
  print(
    flags,
    { ...result, elapsedMs },
    ({ accepted, requestId }) =>
      `Accepted ${counted(accepted, 'record')} as ${requestId} in ${durationOf(elapsedMs)}.\n`,
  );
}

/**
 * The given key, else one for the content. A file is read through in either case: what is sent, and sent again after a
 * break, has to be what was there when the import began.
 */
async function keyOf(file: ImportFile, readAs: ReadAs, given: string | undefined): Promise<string> {
  if (file.note === undefined) return given ?? randomUUID();
  try {
    const ofContent = await keyOfContent(file.note(), readAs);
    return given ?? ofContent;
  } catch (error) {
    if (isKeepapartError(error)) throw new KeepapartError(error.code, `${file.name}: ${error.message}`);
    if (!isSystemError(error)) throw error;
    throw new KeepapartError('import-unreadable', `${file.name}: ${error.message}`, { cause: error });
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}

/** What the API says of lines, in those of the file. NDJSON is sent as it is, so they are the same there. */
function inFile(error: unknown, { format }: ReadAs, lines: SourceLines): unknown {
  return format === 'ndjson' ? error : inLinesOfFile(error, lines);
}

/** `undefined` for a bug. */
function reasonOf(error: unknown): string | undefined {
  if (isClientError(error)) return tellClientError(error);
  if (!(error instanceof KeepapartSourceError)) return undefined;
  const { cause } = error;
  if (isKeepapartError(cause)) return `${plain(cause.message)} [${cause.code}]`;
  return isSystemError(cause) ? `${cause.message} [import-unreadable]` : undefined;
}

/** What is durable, and how the import goes on; nothing where it was refused before a record was read. */
function whatIsThere(error: unknown, key: string): string[] {
  const isApiError = error instanceof KeepapartApiError;
  const accepted = isClientError(error) || error instanceof KeepapartSourceError ? error.accepted : undefined;
  if (isApiError && accepted === undefined) return [];
  if (isApiError && error.code === 'idempotency-key-reused')
    return [`To send these records beside those of before: another --key than ${key}`];
  if (error instanceof KeepapartSourceError && hasChanged(error.cause))
    return [
      `${acceptedText(accepted)} The file as it is now is an import of its own: run the command again.`,
    ];
  return [`${acceptedText(accepted)} To go on: the same command with --key ${key}`];
}

function hasChanged(error: unknown): boolean {
  return isKeepapartError(error) && error.code === 'import-changed';
}

function acceptedText(accepted: number | undefined): string {
  if (accepted === undefined) return 'How many records were accepted is not known.';
  if (accepted === 0) return 'No record was accepted.';
  if (accepted === 1) return 'The first record was accepted and stays, none behind it.';
  return `The first ${count(accepted)} records were accepted and stay, none behind them.`;
}
