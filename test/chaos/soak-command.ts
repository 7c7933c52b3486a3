import { parseArgs } from 'node:util';
import { optionsOf, runInFolder } from './command';
import { PROFILE_HELP, PROFILE_OPTIONS, profileOf } from './profile';
import { inSeconds, renderFindings, table } from './report';
import { BOUNDS, soak, type SoakReport } from './soak';

const HELP = `npm run soak -- [options]

  --records <n>        how many records in all (default 100000)
  --paused <n>         how many of them are sent while the batcher is paused (default a third, at most 40000)
  --batch-size <n>     MAX_BATCH_SIZE (default 5)
  --list <n>           records of one request (default 50)
  --clients <n>        clients at once (default 8)
  --run-events <n>     events after which a run of the batcher ends (default 500)
  --run-messages <n>   signals and updates after which it does (default 200)
  --store files|memory what the records are saved in (default files)
${PROFILE_HELP}
  --keep               keeps the folder of a run that fails
  --folder <path>      uses this folder, and leaves everything in it
  --report <path>      writes the report as JSON too`;

/** @returns the exit code: 0 when nothing is damaged and no bound exceeded, 1 otherwise, 2 for a wrong call */
export async function soakCommand(args: string[]): Promise<number> {
  const given = optionsOf(HELP, () => parse(args));
  if (typeof given === 'number') return given;
  const records = Number(given.records);
  return runInFolder({
    folder: given.folder,
    keep: given.keep,
    reportFile: given.report,
    run: (folder, atEnd) =>
      soak({
        folder,
        records,
        pausedRecords:
          given.paused === undefined ? Math.min(40_000, Math.floor(records / 3)) : Number(given.paused),
        maxBatchSize: Number(given['batch-size']),
        listLength: Number(given.list),
        clients: Number(given.clients),
        limits: { historyEvents: Number(given['run-events']), messages: Number(given['run-messages']) },
        store: given.store === 'memory' ? 'memory' : 'files',
        profile: profileOf(given),
        atEnd,
        say: (line) => console.log(line),
      }),
    render,
  });
}

function parse(args: string[]) {
  return parseArgs({
    args,
    options: {
      records: { type: 'string', default: '100000' },
      paused: { type: 'string' },
      'batch-size': { type: 'string', default: '5' },
      list: { type: 'string', default: '50' },
      clients: { type: 'string', default: '8' },
      'run-events': { type: 'string', default: '500' },
      'run-messages': { type: 'string', default: '200' },
      store: { type: 'string', default: 'files' },
      ...PROFILE_OPTIONS,
      keep: { type: 'boolean', default: false },
      folder: { type: 'string' },
      report: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
}

function render({ worst, ...report }: SoakReport): string {
  const { clients } = report;
  const repeats = Object.entries(clients.retries).map(([answer, times]) => `${answer}: ${times}`);
  return [
    '',
    renderFindings(report.findings),
    ...table([
      ['refused', clients.refused.length],
      ['runs', report.runs],
      ['most events', `${worst.historyEvents} of a run (below ${BOUNDS.historyEvents})`],
      ['most bytes', `${worst.historyBytes} of a run (below ${BOUNDS.historyBytes})`],
      ['most carried', `${worst.carriedBytes} bytes into a run (below ${BOUNDS.carriedBytes})`],
      ['most messages', `${worst.messages} in a run`],
      [
        'handing over',
        `at most ${inSeconds(worst.handOverMs)} after it was due, refused ${worst.refusedHandOvers} times`,
      ],
      ['pages', `${report.pages} while it was paused`],
      ['throughput', `${report.recordsPerSecond.toFixed(0)} records/s from the resume on`],
      ['worst answer', `${inSeconds(clients.worstAnswerMs)}; with repeats ${inSeconds(clients.worstMs)}`],
      ['repeats', repeats.join(', ') || 0],
    ]),
    ...report.exceeded,
    '',
    report.clean ? 'Nothing is lost, nothing is doubled, and every run stayed within its bounds.' : 'DAMAGED',
  ].join('\n');
}
