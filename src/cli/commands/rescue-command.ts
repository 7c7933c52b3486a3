import type { Command } from 'commander';
import type { Config } from '../../config';
import { rescue, type RescueReport } from '../../temporal/rescue/rescue';
import { batcherAddress } from '../../temporal/shard/batcher-address';
import { Shards } from '../../temporal/shard/shards';
import type { Flags } from './api-access';
import { progressLine } from '../terminal/progress-line';
import { addUnlistedSettingFlags, readConfig } from '../process/read-config';
import { counted } from '../../domain/format';
import { withTemporal } from '../process/temporal-role';

/**
 * `keepapart rescue`: straight over Temporal. Exits with 0 when nothing is out of reach (any more), with 1 when something
 * is and `--apply` wasn't given.
 */
export function registerRescue(program: Command): void {
  addUnlistedSettingFlags(
    program
      .command('rescue')
      .description(
        'find accepted records that are in no batcher and no batch, and buffer them again; needs a worker',
      ),
  )
    .option('--apply', 'repair what is found; without it, nothing is changed')
    .option('--json', 'print the report as JSON')
    .option('--by <name>', 'your name, for the history', 'command line')
    .addHelpText('after', '\nExamples:\n  $ keepapart rescue\n  $ keepapart rescue --apply --by Ann')
    .action(async (flags: Flags) => {
      const { config } = readConfig(flags);
      const apply = flags['apply'] === true ? { by: String(flags['by']) } : undefined;
      const report = await run(config, apply);
      const text = flags['json'] === true ? `${JSON.stringify(report, null, 2)}\n` : renderRescue(report);
      process.stdout.write(text);
      if (!report.done && report.stuck.length + report.lost > 0) process.exitCode = 1;
    });
}

async function run(config: Config, apply: { by: string } | undefined): Promise<RescueReport> {
  const progress = progressLine(process.stderr);
  const startedAtMs = Date.now();
  return withTemporal(config, (client) =>
    rescue(client, new Shards(client, batcherAddress(config), config), {
      ...(apply !== undefined && { apply }),
      onProgress(message) {
        if (process.stderr.isTTY) progress.show({ message, elapsedMs: Date.now() - startedAtMs });
      },
    }),
  ).finally(progress.end);
}

/** What was found, a line for each, and what has come of it. */
export function renderRescue({ stuck, ended, orphanPages, lost, done }: RescueReport): string {
  const lines = [
    ...stuck.map(
      ({ batcher, runId, failedTasks }) =>
        `${batcher}: run ${runId} can't be taken up by any worker, ${counted(failedTasks, 'task')} failed in a row`,
    ),
    ...ended.map(
      ({ batcher, runId, status, records }) =>
        `${batcher}: run ${runId} was ${status} with ${counted(records, 'record')} in no batch of its own`,
    ),
    ...orphanPages.map(
      ({ pageId, records }) => `${pageId}: no batcher knows of its ${counted(records, 'record')}`,
    ),
    conclusion(stuck.length, lost, done),
  ];
  return `${lines.join('\n')}\n`;
}

function conclusion(stuck: number, lost: number, done: boolean): string {
  if (stuck > 0 && done)
    return 'Reset: it begins again with all that it was sent. Run this again in a minute, to see what else is out of reach.';
  if (stuck > 0) return 'With --apply it begins again with all that it was sent.';
  if (lost === 0) return 'Nothing is out of reach.';
  return done
    ? `${counted(lost, 'record')} taken in again.`
    : `${counted(lost, 'record')} out of reach: --apply takes them in again.`;
}
