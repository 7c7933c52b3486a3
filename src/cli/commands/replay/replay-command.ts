import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { InvalidArgumentError, type Command } from 'commander';
import type { Config } from '../../../config';
import { KeepapartError } from '../../../domain/errors';
import { readKeyRing } from '../../../embed/encryption-keys';
import { dataConverterFor } from '../../../temporal/codec/data-converter';
import { connectClient } from '../../../temporal/server/connection';
import { bundleForReplay } from '../../../temporal/replay/replay-histories';
import { fetchRun, listLiveRuns, type ListedRun } from '../../../temporal/replay/live-runs';
import { replayHistories, type Replayed } from '../../../temporal/replay/replay-histories';
import { installRuntime } from '../../../temporal/worker/runtime';
import { createLogger } from '../../process/logger';
import { progressLine } from '../../terminal/progress-line';
import { addUnlistedSettingFlags, readConfig } from '../../process/read-config';
import { findHistoryFiles, readHistoryFile } from './read-files';
import { renderReport } from './render';
import { countRun, newReport, replayedRuns, type ReplayReport, type SourcedRun } from './tally';
import { EXIT, reportFailure } from '../../process/report-failure';
import { findTemporal, temporalNamespace } from '../../process/temporal-role';
import { jsonText } from '../../terminal/text';

interface ReplayFlags {
  live?: true;
  closed: number;
  all?: true;
  json?: true;
}

/** What is to be replayed: files, then runs of a live server, none of them read yet. */
interface Selection {
  files: readonly string[];
  live: { client: Client; runs: readonly ListedRun[] } | undefined;
}

/** Adds `keepapart replay`: today's workflow code over recorded histories, as a gate before a deployment (G8). */
export function registerReplay(program: Command): void {
  const command = program
    .command('replay')
    .description(
      'check that this version of the workflow code replays existing histories, before it is deployed',
    )
    .argument('[paths...]', 'histories as JSON: files, and folders with *.json')
    .option('--live', 'the open and the last closed workflows of this deployment, from its Temporal server')
    .option('--closed <n>', 'with --live: how many closed runs of each type', parseCount, 100)
    .option('--all', 'continue after the first mismatch')
    .option('--json', 'report as JSON');
  addUnlistedSettingFlags(command).action(async (paths: string[], flags: ReplayFlags) => {
    // The SDK's native runtime would keep the process alive.
    process.exit(await replay(paths, flags, readConfig({ ...flags }).config).catch(reportFailure));
  });
}

async function replay(paths: readonly string[], flags: ReplayFlags, config: Config): Promise<number> {
  // What the SDK says of a mismatch is in the report.
  installRuntime(createLogger({ logLevel: 'fatal' }));
  const selection = await select(paths, flags, config);
  const report = newReport();
  const progress = startProgress(selection);
  try {
    for await (const { replayed, mismatch } of replayInTurn(
      begunRuns(selection, report, progress.next),
      dataConverterFor(await readKeyRing(config), temporalNamespace()).payloadCodecs,
    )) {
      countRun(report, replayed, mismatch);
      if (mismatch && !flags.all) {
        report.complete = false;
        break;
      }
    }
  } finally {
    progress.end();
  }
  if (replayedRuns(report) === 0) {
    throw new KeepapartError(
      'nothing-to-replay',
      `Nothing was replayed: of ${sizeOf(selection)} histories, ${report.notBegun} have no completed workflow task yet and ${report.gone} are gone.`,
    );
  }
  process.stdout.write(flags.json ? `${jsonText(report, 2)}\n` : renderReport(report));
  return report.mismatches.length === 0 ? 0 : EXIT.failed;
}

/** What can't be read is told at once where it is the first: the code is bundled, which takes seconds, after that. */
async function* replayInTurn(
  runs: AsyncGenerator<SourcedRun>,
  payloadCodecs: PayloadCodec[] | undefined,
): AsyncGenerator<Replayed<SourcedRun>> {
  const first = await runs.next();
  if (first.done === true) return;
  async function* all() {
    yield first.value as SourcedRun;
    yield* runs;
  }
  yield* replayHistories(await bundleForReplay(), all(), payloadCodecs);
}

async function select(paths: readonly string[], flags: ReplayFlags, config: Config): Promise<Selection> {
  if (paths.length === 0 && !flags.live)
    throw new KeepapartError('nothing-to-replay', 'Name files or folders with histories, or give --live.');
  const files = await findHistoryFiles(paths);
  if (!flags.live) return { files, live: undefined };
  const temporal = await findTemporal(config);
  if (temporal === undefined) {
    throw new KeepapartError(
      'nothing-to-replay',
      `There is no Temporal server to ask: TEMPORAL_ADDRESS is not set, and none is embedded at port ${config.temporalPort}.`,
    );
  }
  const client = await connectClient(temporal.target, await readKeyRing(config));
  const runs = await listLiveRuns(client, config, flags.closed);
  return { files, live: { client, runs } };
}

/** Reads one history after the other, when its turn comes, and leaves out those that no code has decided on yet. */
async function* begunRuns(
  { files, live }: Selection,
  report: ReplayReport,
  next: (what: string) => void,
): AsyncGenerator<SourcedRun> {
  for (const file of files) {
    next(file);
    const run = await readHistoryFile(file);
    if (run.begun) yield { ...run, file };
    else report.notBegun++;
  }
  for (const listed of live?.runs ?? []) {
    next(listed.workflowId);
    const run = live && (await fetchRun(live.client, listed));
    if (run?.begun) yield { ...run, file: null };
    else if (run) report.notBegun++;
    else report.gone++;
  }
}

function startProgress(selection: Selection) {
  const line = progressLine(process.stderr);
  const startedAtMs = Date.now();
  let begun = 0;
  return {
    next(what: string): void {
      const share = begun++ / sizeOf(selection);
      line.show({ message: `replaying ${what}`, share, elapsedMs: Date.now() - startedAtMs });
    },
    end: line.end,
  };
}

function sizeOf({ files, live }: Selection): number {
  return files.length + (live?.runs.length ?? 0);
}

function parseCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('A whole number, 0 or more.');
  return Number(text);
}
