import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { KeepapartClient, StatusView } from '../../client';
import { SECOND } from '../../domain/duration';
import { addApiFlags, openApi, type Flags } from './api-access';
import { isClientError, tellClientError } from '../process/client-errors';
import { renderStatus, type TimedStatus } from './status-table';
import { untilInterrupted } from '../process/until-interrupted';
import { print, jsonText } from '../terminal/table';

const LOOK_EVERY_MS = 1 * SECOND;

/** `keepapart status`: what waits, runs and ended, shard by shard; `--watch` looks again each second until Ctrl-C. */
export function registerStatus(program: Command): void {
  addApiFlags(program.command('status').description('show what is buffered, in flight and done, per shard'))
    .option('--watch', 'refresh every second, with rates, until Ctrl-C')
    .option('--json', 'as JSON; with --watch one line per refresh')
    .addHelpText('after', '\nExample:\n  $ keepapart status --watch')
    .action(async (flags: Flags) => {
      const client = openApi(flags);
      const first = await look(client);
      if (flags['watch'] === true) await untilInterrupted((signal) => watch(client, first, flags, signal));
      else print(flags, first.status, () => `${renderStatus(first)}\n`);
    });
}

async function watch(
  client: KeepapartClient,
  first: TimedStatus,
  flags: Flags,
  signal: AbortSignal,
): Promise<void> {
  const screen = flags['json'] === true ? jsonLines : await tableInPlace();
  let last = first;
  screen.show(first, undefined);
  while (await sleep(LOOK_EVERY_MS, true, { signal }).catch(() => false)) {
    try {
      const now = await look(client, signal);
      screen.show(now, last);
      last = now;
    } catch (error) {
      if (signal.aborted) break;
      if (!isClientError(error)) throw error;
      // Whoever watches wants to see when it is back.
      screen.tell(tellClientError(error));
    }
  }
  screen.done();
}

async function look(client: KeepapartClient, signal?: AbortSignal): Promise<TimedStatus> {
  return { status: await client.status({ signal }), atMs: performance.now() };
}

/** On a terminal the table is drawn over itself; elsewhere one follows the other. */
async function tableInPlace() {
  // An ES module, which compiled CommonJS reaches by a dynamic import alone.
  const { default: logUpdate } = await import('log-update');
  const show = process.stdout.isTTY
    ? (text: string) => logUpdate(text)
    : (text: string) => process.stdout.write(`${text}\n\n`);
  let shown = '';
  return {
    show: (now: TimedStatus, before: TimedStatus | undefined) => show((shown = renderStatus(now, before))),
    tell: (problem: string) => show(`${shown}\n${problem}`),
    done: () => {
      if (process.stdout.isTTY) logUpdate.done();
    },
  };
}

const jsonLines = {
  show: ({ status }: TimedStatus) => process.stdout.write(`${jsonText(status satisfies StatusView)}\n`),
  tell: (problem: string) => process.stderr.write(`keepapart: ${problem}\n`),
  done: () => undefined,
};
