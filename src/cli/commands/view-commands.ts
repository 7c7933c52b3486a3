import type { Command } from 'commander';
import type { BatchSummary } from '../../contracts/api/answers/batches';
import { BATCH_STATES, type BatchState } from '../../contracts/api/states';
import { KeepapartError } from '../../domain/errors';
import { addApiFlags, openApi, secondsOf, type Flags } from './api-access';
import { choiceOption } from '../terminal/command-help';
import { AS_JSON } from '../terminal/flags';
import { print } from '../terminal/text';
import { renderBatch, renderBatches, renderRequest } from './view-tables';
import { followRequest, isWhole, WAIT_SECONDS } from './follow-request';

/** Greatest page that the API gives. */
const MAX_PAGE = 200;

interface BatchesFlags extends Flags {
  state?: BatchState;
  request?: string;
  limit: string;
}

/** `keepapart batches [batchId]` and `keepapart request <requestId>`: through the HTTP API. */
export function registerViews(program: Command): void {
  addApiFlags(
    program
      .command('batches')
      .description(
        'list batches, running ones first, then the latest closed ones; or show one with its records',
      )
      .argument('[batchId]', 'the batch to show'),
  )
    .addOption(choiceOption('--state <state>', 'only those in this state', BATCH_STATES))
    .option('--request <requestId>', 'only batches with records of this request')
    .option('--limit <number>', 'maximum number of batches', '50')
    .option(...AS_JSON)
    .addHelpText(
      'after',
      '\nExamples:\n  $ keepapart batches --state running\n  $ keepapart batches batcher-0-00000001',
    )
    .action(async (batchId: string | undefined, flags: BatchesFlags) => {
      if (batchId === undefined) print(flags, await listBatches(flags), renderBatches);
      else print(flags, await openApi(flags).batch(batchId), renderBatch);
    });

  addApiFlags(
    program
      .command('request')
      .description('show where the records of a request are')
      .argument('<requestId>', 'its id, or its Idempotency-Key'),
  )
    .option('--wait', 'wait for every outcome; exits with 1 if a record was rolled back')
    .option('--timeout <seconds>', 'how long to wait', WAIT_SECONDS)
    .option(...AS_JSON)
    .addHelpText('after', '\nExample:\n  $ keepapart request order-4711 --wait')
    .action(async (requestId: string, flags: Flags) => {
      const client = openApi(flags);
      if (flags['wait'] !== true) {
        print(flags, await client.request(requestId), renderRequest);
        return;
      }
      const view = await followRequest(client, requestId, secondsOf('--timeout', flags['timeout']));
      print(flags, view, renderRequest);
      if (!isWhole(view)) process.exitCode = 1;
    });
}

async function listBatches(flags: BatchesFlags): Promise<BatchSummary[]> {
  const { state, request, limit } = flags;
  if (!/^[1-9]\d{0,5}$/.test(limit))
    throw new KeepapartError(
      'invalid-config',
      `--limit has to be a whole number from 1 to 999999; it is ${limit}.`,
    );
  const most = Number(limit);
  const pages = openApi(flags).batches({
    pageSize: Math.min(most, MAX_PAGE),
    ...(state && { state }),
    ...(request !== undefined && { requestId: request }),
  });
  const batches: BatchSummary[] = [];
  for await (const batch of pages) if (batches.push(batch) === most) break;
  return batches;
}
