import { watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SECOND } from '../../src/domain/duration';
import { monotonicMs } from '../harness/clock';
import { markdownTable, percentile } from '../harness/figures';
import { machineCpu } from '../harness/usage';
import { bare, keepapart, type Contender } from './contenders';
import { watchOutcomes } from './outcomes';
import { withRunning, type Running } from './running';

const HELP = `npm run bench -- idle [options]

How long one list takes that comes to an idle system: five records without conflicts, which make a full batch, from the
POST until the batch's file has its name. The next list follows after a random pause, so that it doesn't keep step with
any timer. keepapart with default settings, without and with an Idempotency-Key, and bare Temporal, in turns, with new
servers each time. Nothing else should run on the machine.

  --lists <n>       lists of each contender and round (default 200)
  --rounds <n>      rounds (default 3)
  --pause <ms>      the longest pause between two lists (default 1000)
  --only <a,b>      only contenders whose names contain one of these
  --node <version>  runs every Node program on this version: 20, 22, 24, 26 or an exact one (default this Node)
`;

const CONTENDERS: readonly Contender[] = [
  bare,
  keepapart('keepapart', {}, { kind: 'no keys' }),
  keepapart('keepapart, keys', {}),
];
/** One list of them makes a full batch. */
const LIST = { listSize: 5, callers: 1, share: 0 } as const;
const QUIET_MS = 2 * SECOND;
const FILE_WITHIN_MS = 30 * SECOND;

interface IdleFigures {
  /** From the POST to the file, and to the answer. */
  fileMs: number[];
  answerMs: number[];
  othersShare: number;
  problems: string[];
}

/** `npm run bench -- idle`. @returns the exit code: 1 when any output was wrong */
export async function idleBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      lists: { type: 'string', default: '200' },
      rounds: { type: 'string', default: '3' },
      pause: { type: 'string', default: '1000' },
      only: { type: 'string', default: '' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const parts = values.only.split(/,(?! )/).map((part) => part.trim().toLowerCase());
  const contenders = CONTENDERS.filter(({ name }) => parts.some((part) => name.toLowerCase().includes(part)));
  const [lists, pauseMs] = [Number(values.lists), Number(values.pause)];
  const figures = new Map(contenders.map((contender) => [contender, [] as IdleFigures[]]));
  for (const contender of contenders) await contender.prepare();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + round) % contenders.length];
      if (contender === undefined) continue;
      const result = await withRunning(contender, { ...LIST, failureRate: 0 }, (running) =>
        measureIdle(running, lists, pauseMs),
      );
      figures.get(contender)?.push(result);
      process.stderr.write(`round ${round + 1}, ${contender.name}: ${summary(result)}\n`);
    }
  }
  process.stdout.write(`Node ${process.versions.node}\n\n${render(figures)}\n`);
  return [...figures.values()].flat().some(({ problems }) => problems.length > 0) ? 1 : 0;
}

/** Sends one list after the other, each when the one before has its file. */
async function measureIdle(
  { stage: { work, usage }, send, warmUpFiles }: Running,
  lists: number,
  pauseMs: number,
): Promise<IdleFigures> {
  const files = watchFiles(work.outDir);
  const fileMs: number[] = [];
  const answerMs: number[] = [];
  try {
    await sleep(QUIET_MS);
    const before = await others(usage);
    for (let list = 0; list < lists; list++) {
      const [from, to] = [list * LIST.listSize, (list + 1) * LIST.listSize];
      const [[sent], appearedAtMs] = await Promise.all([send({ ...LIST, from, to }), files.next()]);
      fileMs.push(appearedAtMs - (sent?.sentAtMonotonicMs ?? NaN));
      answerMs.push(sent?.answerMs ?? NaN);
      await sleep(Math.random() * pauseMs);
    }
    const after = await others(usage);
    const outcomes = watchOutcomes(work, { from: 0, to: lists * LIST.listSize }, warmUpFiles);
    await outcomes.readAll();
    const more = outcomes.names.size - warmUpFiles.size - lists;
    return {
      fileMs,
      answerMs,
      othersShare: (after.othersMs - before.othersMs) / (after.totalMs - before.totalMs),
      problems: [...outcomes.problems(), ...(more > 0 ? [`${more} files more than lists`] : [])],
    };
  } finally {
    files.close();
  }
}

/** The times at which files appear, as the kernel reports them: names are not polled for, nor taken from coarse file times. */
function watchFiles(folder: string): { next(): Promise<number>; close(): void } {
  const seen = new Set<string>();
  let appear: (atMs: number) => void = () => undefined;
  const watcher = watch(folder, (_, name) => {
    const atMs = monotonicMs();
    if (name?.endsWith('.log') !== true || seen.has(name)) return;
    seen.add(name);
    appear(atMs);
  });
  return {
    next: () =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no file within 30 s')), FILE_WITHIN_MS);
        appear = (atMs) => {
          clearTimeout(timer);
          resolve(atMs);
        };
      }),
    close: () => watcher.close(),
  };
}

/** CPU time of the machine that neither the contender nor the bench used. */
async function others(usage: Running['stage']['usage']): Promise<{ othersMs: number; totalMs: number }> {
  const [{ busyMs, totalMs }, roles] = [await machineCpu(), await usage()];
  const { user, system } = process.cpuUsage();
  const ours = roles.reduce((sum, { cpuMs }) => sum + cpuMs, (user + system) / 1000);
  return { othersMs: busyMs - ours, totalMs };
}

function summary({ fileMs, othersShare, problems }: IdleFigures): string {
  const [p50, p99] = [percentile(fileMs, 0.5), percentile(fileMs, 0.99)];
  const figures = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, others ${(othersShare * 100).toFixed(0)} %`;
  return problems.length > 0 ? `${figures}, ${problems.join('; ')}` : figures;
}

function render(figures: ReadonlyMap<Contender, readonly IdleFigures[]>): string {
  const pooled = (contender: Contender, what: 'fileMs' | 'answerMs') =>
    (figures.get(contender) ?? []).flatMap((one) => one[what]);
  const of = (contender: Contender, share: number) => percentile(pooled(contender, 'fileMs'), share);
  const compared = (contender: Contender, share: number) => {
    const ratio = of(contender, share) / of(bare, share);
    return Number.isNaN(ratio) ? '' : ratio.toFixed(2);
  };
  return markdownTable(
    ['', 'lists', 'p50 ms', '× bare', 'p99 ms', '× bare', 'most ms', 'answer p50 ms', 'others %', 'output'],
    [...figures].map(([contender, rounds]) => [
      contender.name,
      String(pooled(contender, 'fileMs').length),
      of(contender, 0.5).toFixed(1),
      compared(contender, 0.5),
      of(contender, 0.99).toFixed(1),
      compared(contender, 0.99),
      of(contender, 1).toFixed(1),
      percentile(pooled(contender, 'answerMs'), 0.5).toFixed(1),
      (Math.max(...rounds.map(({ othersShare }) => othersShare)) * 100).toFixed(0),
      rounds.flatMap(({ problems }) => problems).join('; ') || 'complete',
    ]),
  );
}
