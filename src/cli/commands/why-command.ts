import type { Command } from 'commander';
import type { KeepapartClient, StatusView, WaitsView, WorkersView } from '../../client';
import { sentenceOf, type Sentence } from '../../contracts/api/sentence';
import { duration } from '../../domain/format';
import { isClientError } from '../process/client-errors';
import { AS_JSON } from '../terminal/flags';
import { count, counted } from '../../domain/format';
import { table } from '../terminal/table';
import { plain, print } from '../terminal/text';
import { addApiFlags, openApi, type Flags } from './api-access';

/** Everything that explains why records wait; figures are null while no worker answers. */
interface Why {
  sentence: Pick<Sentence, 'head' | 'text'>;
  status: StatusView | null;
  waits: WaitsView | null;
  workers: WorkersView | null;
}

/** `keepapart why`: why nothing moves, in one sentence, and then the figures. */
export function registerWhy(program: Command): void {
  addApiFlags(
    program.command('why').description('say in one sentence why records wait, and then the figures'),
  )
    .option(...AS_JSON)
    .addHelpText('after', '\nExample:\n  $ keepapart why')
    .action(async (flags: Flags) => {
      print(flags, await findOut(openApi(flags)), renderWhy);
    });
}

async function findOut(client: KeepapartClient): Promise<Why> {
  try {
    const [status, waits] = await Promise.all([client.status(), client.waits()]);
    const workers = await client.workers().catch(noneWithout);
    return { sentence: sentenceOf({ atMs: Date.now(), status }, [], waits), status, waits, workers };
  } catch (error) {
    if (!isSilence(error)) throw error;
    // Temporal knows the workers without asking one. Where it doesn't answer either, this says so.
    const workers = await client.workers();
    return { sentence: silence(workers), status: null, waits: null, workers };
  }
}

/** Why the API has no figures, if that is because no batcher answers it; undefined for other errors. */
export async function whyNoAnswer(
  client: KeepapartClient,
  error: unknown,
): Promise<Why['sentence'] | undefined> {
  if (!isSilence(error)) return undefined;
  const workers = await client.workers().catch(noneWithout);
  return workers === null ? undefined : silence(workers);
}

function isSilence(error: unknown): boolean {
  return isClientError(error) && error.code === 'temporal-unavailable';
}

function noneWithout(error: unknown): null {
  if (isClientError(error)) return null;
  throw error;
}

function silence({ isServed, taskQueues }: WorkersView): Why['sentence'] {
  const queue = taskQueues[0]?.name ?? '';
  if (!isServed)
    return {
      head: 'No worker',
      text: `nobody polls task queue ${queue}, so no batch starts or ends; records are still accepted and none is lost`,
    };
  return {
    head: 'No answer',
    text: `workers poll task queue ${queue}, but a batcher has not answered for ten seconds; see their logs`,
  };
}

export function renderWhy({ sentence, status, waits, workers }: Why): string {
  const lines = [`${sentence.head}: ${plain(sentence.text)}.`];
  const waiting = waits?.shards.flatMap((shard) => shard.waits) ?? [];
  if (waiting.length > 0) {
    const rows = waiting.map(({ records, text }) => [count(records), plain(text)]);
    lines.push('', table([['records', 'wait for'], ...rows], [0]));
  }
  const rules = waits?.shards.flatMap((shard) => shard.rules) ?? [];
  if (rules.length > 0) {
    const rows = rules.map(({ records, rule }) => [count(records), JSON.stringify(rule)]);
    lines.push('', table([['records', 'held up by the rule'], ...rows], [0]));
  }
  lines.push('', ...statusLines(status), ...(workers === null ? [] : workerLines(workers)));
  return `${lines.join('\n')}\n`;
}

function statusLines(status: StatusView | null): string[] {
  if (status === null) return [];
  const { total, shards, settings } = status;
  const due =
    total.oldestDueAgeMs === null ? 'none is due' : `oldest due for ${duration(total.oldestDueAgeMs)}`;
  return [
    `buffered   ${counted(total.bufferedRecords, 'record')}, ${due}`,
    `in flight  ${count(total.inFlight)} of ${counted(settings.maxInFlight * shards.length, 'batch')}, ${counted(total.inFlightRecords, 'record')}`,
    `so far     ${count(total.counters.saved)} saved, ${count(total.counters.rolledBack)} rolled back, ${counted(total.counters.retries, 'retry')}`,
  ];
}

function workerLines({ workers, taskQueues }: WorkersView): string[] {
  const backlog = taskQueues.reduce((sum, queue) => sum + (queue.backlog ?? 0), 0);
  const names = workers.map(({ identity }) => plain(identity)).join(', ');
  return [
    `workers    ${workers.length === 0 ? 'none' : `${count(workers.length)} (${names})`}; ${counted(backlog, 'task')} waiting for one`,
  ];
}
