import type { Command } from 'commander';
import type { AcceptedRecords, JsonValue, KeepapartClient } from '../../../client';
import { KeepapartError } from '../../../domain/errors';
import { addApiFlags, openApi, requireKey, retryFor, secondsOf, type Flags } from '../api-access';
import { followRequest, isWhole, WAIT_SECONDS } from '../follow-request';
import { promptForLists } from './prompt';
import { listsOfArguments, listsOfInput } from './read-lists';
import { counted } from '../../../domain/format';
import { jsonText } from '../../terminal/text';
import { renderRequest } from '../view-tables';

interface SendFlags extends Flags {
  key?: string;
  wait?: true;
  json?: true;
}

/** `keepapart send`: lists of records from arguments, standard input or a prompt, each as one request. */
export function registerSend(program: Command): void {
  addApiFlags(
    program
      .command('send')
      .description('send lists of records, from arguments, standard input or a prompt')
      .argument('[list...]', 'JSON lists, each sent as one request'),
  )
    .option('--key <key>', 'Idempotency-Key of the list; sending it again under the same key adds nothing')
    .option('--wait', 'wait for the outcomes and print them; exits with 1 if a record was rolled back')
    .option('--timeout <seconds>', 'how long to wait', WAIT_SECONDS)
    .option(
      '--retry-for <seconds>',
      'how long to retry while the buffer is full or the API is unavailable',
      '30',
    )
    .option('--json', 'print a line of JSON per list, and with --wait another for its outcomes')
    .addHelpText(
      'after',
      [
        '\nExamples:',
        "  $ keepapart send '[1,2,3]' '[5]'",
        '  $ echo \'[{"sku":"a-1","amount":2}]\' | keepapart send --wait --key order-4711',
        '  $ keepapart send          # asks for one list after another; exit or Ctrl-D ends',
      ].join('\n'),
    )
    .action(async (args: string[], flags: SendFlags) => {
      const waitMs = secondsOf('--timeout', flags['timeout']);
      const client = openApi(flags, retryFor(flags['retryFor']));
      if (args.length === 0 && process.stdin.isTTY) {
        if (flags.key !== undefined)
          throw new KeepapartError('invalid-config', '--key is for one list, not for a prompt.');
        await promptForLists({
          input: process.stdin,
          output: process.stdout,
          send: (values, signal) => sendAll(client, [values], flags, waitMs, signal),
        });
        return;
      }
      const lists = args.length > 0 ? listsOfArguments(args) : await listsOfInput(process.stdin);
      requireOneKey(lists, flags.key);
      if (!(await sendAll(client, lists, flags, waitMs))) process.exitCode = 1;
    });
}

/**
 * Sends one list after the other, and only then waits. What was taken before one is refused has been told by then.
 * @returns whether everything was saved, as far as that was waited for
 */
async function sendAll(
  client: KeepapartClient,
  lists: readonly JsonValue[][],
  flags: SendFlags,
  waitMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const answers: AcceptedRecords[] = [];
  for (const values of lists) {
    const answer = await client.send(values, { idempotencyKey: flags.key, signal });
    answers.push(answer);
    say(
      flags,
      answer,
      ({ accepted, requestId }) => `Accepted ${counted(accepted, 'record')} as ${requestId}.\n`,
    );
  }
  if (flags.wait === undefined) return true;
  let whole = true;
  for (const [index, { requestId }] of answers.entries()) {
    const view = await followRequest(client, requestId, waitMs, signal);
    say(flags, view, () => renderRequest(view, lists[index]));
    whole &&= isWhole(view);
  }
  return whole;
}

/** As a sentence, or as one line of JSON. */
function say<T>(flags: SendFlags, value: T, render: (value: T) => string): void {
  process.stdout.write(flags.json === true ? `${jsonText(value)}\n` : render(value));
}

function requireOneKey(lists: readonly JsonValue[][], key: string | undefined): void {
  if (key === undefined) return;
  if (lists.length > 1)
    throw new KeepapartError('invalid-config', `--key is for one list; there are ${lists.length}.`);
  requireKey(key);
}
