import type { Command } from 'commander';
import type { Config } from '../../config';
import type { DrainReport } from '../../contracts/api/answers/drain';
import type { StoreAwayView } from '../../contracts/api/answers/status';
import { batcherAddress } from '../../temporal/shard/batcher-address';
import { createBatcherClient } from '../../temporal/batcher-client';
import { Shards } from '../../temporal/shard/shards';
import { secondsOf, type Flags } from './api-access';
import { progressLine } from '../terminal/progress-line';
import { addUnlistedSettingFlags, readConfig } from '../process/read-config';
import { counted } from '../../domain/format';
import { plain } from '../terminal/text';
import { withTemporal } from '../process/temporal-role';

/**
 * `keepapart drain`: straight over Temporal, as an API that takes no more is stopped already. Exits with 0 when
 * everything that was accepted has its outcome, with 1 when something is left.
 */
export function registerDrain(program: Command): void {
  addUnlistedSettingFlags(
    program
      .command('drain')
      .description('flush everything that is buffered, and wait until it has its outcome; needs a worker'),
  )
    .option('--timeout <seconds>', 'how long to wait', '30')
    .option('--by <name>', 'your name, for the history', 'command line')
    .addHelpText('after', '\nExample:\n  $ keepapart drain --timeout 600')
    .action(async (flags: Flags) => {
      const { config } = readConfig(flags);
      const report = await drain(config, String(flags['by']), secondsOf('--timeout', flags['timeout']));
      process.stdout.write(renderDrain(report));
      if (!report.drained) process.exitCode = 1;
    });
}

async function drain(config: Config, by: string, timeoutMs: number): Promise<DrainReport> {
  const progress = progressLine(process.stderr);
  const startedAtMs = Date.now();
  return withTemporal(config, (client) => {
    const batcher = createBatcherClient(client, new Shards(client, batcherAddress(config), config));
    return batcher.drain(by, {
      timeoutMs,
      onProgress: (report) => {
        const away = report.shards.find(({ storeAway }) => storeAway !== null)?.storeAway;
        const message = `draining, ${leftOf(report)} left${away ? `, ${describeAway(away)}` : ''}`;
        if (process.stderr.isTTY) progress.show({ message, elapsedMs: Date.now() - startedAtMs });
      },
    });
  }).finally(progress.end);
}

function describeAway({ since, reason }: StoreAwayView): string {
  return `waiting for the store, which is away since ${since}: ${plain(reason)}`;
}

function leftOf({ shards }: DrainReport): string {
  const records = shards.reduce((sum, { bufferedRecords }) => sum + bufferedRecords, 0);
  const batches = shards.reduce((sum, { inFlight }) => sum + inFlight, 0);
  return `${counted(records, 'record')} and ${counted(batches, 'batch')}`;
}

/** What has come of it; what is left shard by shard, with who has paused it. */
export function renderDrain(report: DrainReport): string {
  if (report.drained) return 'Drained: everything that was accepted has its outcome.\n';
  const left = report.shards
    .filter(({ bufferedRecords, inFlight }) => bufferedRecords + inFlight > 0)
    .map(({ batcher, bufferedRecords, inFlight, paused, storeAway }) => {
      const by =
        paused === null ? '' : `, paused by ${paused.by} since ${new Date(paused.atMs).toISOString()}`;
      const away = storeAway === null ? '' : `, ${describeAway(storeAway)}`;
      const left = `${counted(bufferedRecords, 'record')} buffered, ${counted(inFlight, 'batch')} in flight`;
      return `  ${batcher}: ${left}${by}${away}\n`;
    });
  return `Not drained, ${leftOf(report)} left:\n${left.join('')}`;
}
