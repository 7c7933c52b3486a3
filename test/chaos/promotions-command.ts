import { parseArgs } from 'node:util';
import { optionsOf, runInFolder } from './command';
import { PROFILE_HELP, PROFILE_OPTIONS, profileOf } from './profile';
import { attackByPromotions, type PromotionReport } from './promotions';
import { renderFindings, table } from './report';

const HELP = `npm run promotions -- [options]

  --promotions <n>     how often one of two builds is promoted (default 1000)
  --every <ms>         from one promotion to the next (default 800)
  --rate <n>           lists a second (default 5)
  --seed <n>           which workers are stopped or killed when (default 1)
${PROFILE_HELP}
  --keep               keeps the folder of a run that fails
  --folder <path>      uses this folder, and leaves everything in it
  --report <path>      writes the report as JSON too`;

/** @returns the exit code: 0 when nothing is damaged and no workflow task failed, 1 otherwise, 2 for a wrong call */
export async function promotionsCommand(args: string[]): Promise<number> {
  const given = optionsOf(HELP, () => parse(args));
  if (typeof given === 'number') return given;
  const { promotions, every, rate, seed } = given;
  return runInFolder({
    folder: given.folder,
    keep: given.keep,
    reportFile: given.report,
    run: (folder, atEnd) =>
      attackByPromotions({
        folder,
        promotions: Number(promotions),
        everyMs: Number(every),
        rate: Number(rate),
        seed: Number(seed),
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
      promotions: { type: 'string', default: '1000' },
      every: { type: 'string', default: '800' },
      rate: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      ...PROFILE_OPTIONS,
      keep: { type: 'boolean', default: false },
      folder: { type: 'string' },
      report: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
}

function render({ clean, findings, reads, failedTasks, unreplayable, ...report }: PromotionReport): string {
  return [
    '',
    renderFindings(findings),
    ...table([
      ['promotions', report.promotions],
      [
        'slow workers',
        `${report.slow} stopped for up to 3 s, ${report.killed} killed, each right before its promotion`,
      ],
      [
        'questions',
        `${reads.api} to the API, ${reads.queries} queries of the batcher, ${reads.unanswered} without an answer`,
      ],
      ['runs', `${report.runs}, ${unreplayable.length} of which can't be replayed`],
      ['failed tasks', Object.values(failedTasks).reduce((sum, count) => sum + count, 0)],
    ]),
    ...Object.entries(failedTasks).map(([said, count]) => `${count} × ${said}`),
    ...unreplayable,
    '',
    clean ? 'Nothing is lost or doubled, no workflow task failed, and every run replays.' : 'DAMAGED',
  ].join('\n');
}
