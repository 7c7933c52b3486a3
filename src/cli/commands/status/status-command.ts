import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { KeepapartClient, StatusView, WaitsView } from '../../../client';
import { SECOND } from '../../../domain/duration';
import { isClientError, tellClientError, type ClientError } from '../../process/client-errors';
import { untilInterrupted } from '../../process/until-interrupted';
import { jsonText, print } from '../../terminal/text';
import { addApiFlags, apiUrlOf, openApi, type Flags } from '../api-access';
import { whyNoAnswer } from '../why-command';
import { renderStatus } from './status-table';
import { WatchView, type Look } from './watch-view';

const LOOK_EVERY_MS = 1 * SECOND;

/** `keepapart status`: what waits, runs and ended, shard by shard; `--watch` looks again each second until Ctrl-C. */
export function registerStatus(program: Command): void {
  addApiFlags(program.command('status').description('show what is buffered, in flight and done, per shard'))
    .option('--watch', 'refresh every second, with rates and why nothing moves, until Ctrl-C')
    .option('--json', 'as JSON; with --watch one line per refresh')
    .addHelpText('after', '\nExample:\n  $ keepapart status --watch')
    .action(async (flags: Flags) => {
      const client = openApi(flags);
      if (flags['watch'] === true) await untilInterrupted((signal) => watch(client, flags, signal));
      else print(flags, await client.status(), (status) => `${renderStatus({ status, atMs: Date.now() })}\n`);
    });
}

/**
 * Looks again and again. Throws what the first look throws, unless only the batchers are silent; later ones that fail are
 * shown, as whoever watches wants to see when it is back.
 */
async function watch(client: KeepapartClient, flags: Flags, signal: AbortSignal): Promise<void> {
  const screen = flags['json'] === true ? jsonLines : await viewInPlace(client, apiUrlOf(flags));
  let isFirst = true;
  do {
    try {
      screen.show(await look(client, signal));
    } catch (error) {
      if (signal.aborted) break;
      if (!isClientError(error) || (isFirst && error.code !== 'temporal-unavailable')) throw error;
      await screen.fail(error);
    }
    isFirst = false;
  } while (await sleep(LOOK_EVERY_MS, true, { signal }).catch(() => false));
  screen.done();
}

async function look(client: KeepapartClient, signal: AbortSignal): Promise<Look> {
  const status = await client.status({ signal });
  const atMs = Date.now();
  return { status, atMs, waits: await waitsOf(client, status, signal) };
}

/** What records wait for, if any do. A view without it says less, and is shown all the same. */
async function waitsOf(client: KeepapartClient, status: StatusView, signal: AbortSignal): Promise<WaitsView> {
  if (status.total.bufferedRecords === 0) return { shards: [] };
  try {
    return await client.waits({ signal });
  } catch (error) {
    if (!isClientError(error)) throw error;
    return { shards: [] };
  }
}

/** On a terminal the view is drawn over itself; elsewhere one follows the other. */
async function viewInPlace(client: KeepapartClient, url: string) {
  // An ES module, which compiled CommonJS reaches by a dynamic import alone.
  const { default: logUpdate } = await import('log-update');
  const view = new WatchView(url);
  const write = process.stdout.isTTY
    ? (text: string) => logUpdate(text)
    : (text: string) => process.stdout.write(`${text}\n\n`);
  return {
    show: (seen: Look) => write(view.seen(seen)),
    async fail(error: ClientError) {
      const reason = await whyNoAnswer(client, error);
      write(view.unseen(Date.now(), reason ?? { head: 'No answer', text: tellClientError(error) }));
    },
    done: () => {
      if (process.stdout.isTTY) logUpdate.done();
    },
  };
}

const jsonLines = {
  show: ({ status }: Look) => process.stdout.write(`${jsonText(status satisfies StatusView)}\n`),
  fail(error: ClientError) {
    process.stderr.write(`keepapart: ${tellClientError(error)}\n`);
    return Promise.resolve();
  },
  done: () => undefined,
};
