import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  NO_COUNTS,
  RUN_LIMITS,
  type BatcherCounters,
  type RunLimits,
} from '../../src/contracts/workflow/batcher';
import type { StatusView } from '../../src/contracts/api/answers/status';
import { SECOND } from '../../src/domain/duration';
import { createClients, type ClientCounts } from './clients';
import { startBackEnd } from './store-servers';
import { createDeletions } from './deletions';
import { findDamage, isDamaged, readContents, type Findings, type LedgerLine } from './damage';
import { APIS, WORKERS, describeFault, type Fault } from './fault-kinds';
import { carryOut, createTurns, type Carried, type FaultContext, type Kill } from './faults';
import { readLines } from './json-lines';
import { startLoad } from './load';
import { APART_MS, type Profile } from './profile';
import { watchFiles, type Digests } from './published-files';
import { startQuestions, type Answers } from './questions';
import { createRandom } from './random';
import { recoveryOf, type Recovery } from './recovery';
import { NOTHING_RESCUED, operate, rescue } from './operator-faults';
import { makeSchedule, type Round, type ScheduledFault, type ScheduleOptions } from './schedule';
import { tooCloseIn } from './stays';
import { startAttackedSystem, type AttackedSystem } from './system';
import type { Uncertain } from './uncertain';
import { untilQuiet } from './until-quiet';
import { RULES } from './values';

export interface AttackOptions extends ScheduleOptions {
  folder: string;
  ratePerSecond: number;
  failureRate: number;
  /** How long each attempt takes for the slow records. */
  slowMs: number;
  profile: Profile;
  /** In each round, instead of what follows from the seed. */
  faults: ScheduledFault[] | undefined;
  atEnd: (clean: () => Promise<void>) => void;
  say: (line: string) => void;
}

export interface FaultReport {
  round: number;
  /** When it was to be and when it was over, from the start of its round. */
  atMs: number;
  overAtMs: number;
  what: string;
  note: string;
}

export interface AttackReport {
  seed: number;
  clean: boolean;
  findings: Findings;
  /** What `keepapart audit` complained of. */
  productAudit: string;
  /** What else must not have been: an API that a crowd ended, a sum that isn't even, records that nobody holds. */
  trouble: string[];
  /** How often which process ended by itself, as it may without Temporal. */
  ownEnds: Record<string, number>;
  /** Keys that were refused with 409 although they only ever had one body. */
  refused: string[];
  faults: FaultReport[];
  kills: number;
  processesKilled: number;
  recovery: Recovery;
  clients: ClientCounts;
  /** To questions that were asked all the while. */
  answers: Answers;
  /** What the batcher itself has counted. */
  counters: BatcherCounters;
  disk: string;
}

/** What of a run an audit needs, kept beside the ledger. */
export const KEPT = {
  ledger: 'ledger.jsonl',
  uncertain: 'uncertain.jsonl',
  deleted: 'deleted.jsonl',
  forgotten: 'forgotten.jsonl',
  /** The ledger without what was deleted. */
  expected: 'expected.jsonl',
  digests: 'digests.json',
  out: 'out',
  /** In scope `running` alone. */
  stays: 'stays.jsonl',
} as const;
export const MAX_BATCH_SIZE = 5;
/** Small, so that clients are refused while there is no worker. */
const MAX_BUFFERED_RECORDS = 400;

/** Small, so that a kill often meets a batcher that continues as new. */
const LIMITS: RunLimits = { ...RUN_LIMITS, historyEvents: 250, messages: 60 };

/** Attacks a system of its own, round by round; after each it waits until all is quiet, and audits. */
export async function attack(options: AttackOptions): Promise<AttackReport> {
  const { folder, say, seed } = options;
  const schedule = makeSchedule(options).map((round) => ({
    ...round,
    faults: options.faults ?? round.faults,
  }));
  mkdirSync(folder, { recursive: true });
  const backEnd = await startBackEnd(options.store, folder);
  options.atEnd(() => backEnd.remove());
  const system = await startAttackedSystem({
    folder,
    workers: WORKERS,
    apis: APIS,
    limits: LIMITS,
    diskMegabytes: { data: 8, out: 64 },
    atEnd: options.atEnd,
    ...(options.profile['CONFLICT_SCOPE'] === 'running' && { stays: path.join(folder, KEPT.stays) }),
    settings: {
      CONFLICTS: JSON.stringify(RULES),
      MAX_BATCH_SIZE: String(MAX_BATCH_SIZE),
      SAVE_FAILURE_RATE: String(options.failureRate),
      FLUSH_INTERVAL_MS: '500',
      RETRY_INTERVAL_MS: '500',
      MAX_BUFFERED_RECORDS: String(MAX_BUFFERED_RECORDS),
      // Equal records are one row there, which a statement may not meet twice.
      ...(backEnd.postgres !== undefined && { CONFLICTS: JSON.stringify([...RULES, { distinct: '' }]) }),
      ...backEnd.settings,
      ...options.profile,
    },
  });
  const ledger = path.join(folder, KEPT.ledger);
  const urls = APIS.map((api) => () => system.urlOf(api));
  const clients = createClients({
    apis: APIS.map((api) => system.addressOf(api)),
    ledger,
    uncertain: path.join(folder, KEPT.uncertain),
  });
  const deletions = createDeletions({
    deleted: path.join(folder, KEPT.deleted),
    forgotten: path.join(folder, KEPT.forgotten),
  });
  const watch = watchFiles(system.outDir);
  options.atEnd(() => watch.stop());
  const questions = startQuestions(urls, clients);
  options.atEnd(() => questions.stop());
  const kills: Kill[] = [];
  const faults: FaultReport[] = [];
  let findings: Findings | undefined;
  let counters: BatcherCounters = NO_COUNTS;
  let productAudit = '';
  const trouble: string[] = [];

  for (const [index, round] of schedule.entries()) {
    say(
      `round ${index + 1} of ${schedule.length}: ${round.faults.length} faults in ${round.lengthMs / SECOND} s`,
    );
    const turns = createTurns();
    const context = { ...options, system, clients, deletions, backEnd, limits: LIMITS, turns };
    await runRound(round, index + 1, context, (report, carried) => {
      faults.push(report);
      if (carried.kill !== undefined) kills.push(carried.kill);
      if (carried.trouble !== undefined) trouble.push(carried.trouble);
    });
    await operate(system, 'resume');
    await untilQuiet(system, clients, APIS[0]);
    const rescued = await rescue(context);
    const total = await untilQuiet(system, clients, APIS[0]);
    ({ counters } = total);
    trouble.push(...whatIsWrongAtRest(total, round, rescued), ...crashesOf(system));
    findings = await auditFolder(folder, watch.digests);
    say(
      `round ${index + 1} is quiet: ${findings.acknowledged} acknowledged, ${findings.outcomes} outcomes, ${rescued}`,
    );
    const expected = await writeExpected(folder, findings.lost);
    productAudit = await system.audit(expected, findings.doubledByDeletion);
    if (isDamaged(findings.damage) || productAudit !== '' || trouble.length > 0) break;
  }
  await questions.stop();
  await watch.stop();
  writeFileSync(path.join(folder, KEPT.digests), JSON.stringify(watch.digests));
  if (findings === undefined) throw new TypeError('a schedule has rounds');
  return {
    seed,
    clean:
      !isDamaged(findings.damage) &&
      productAudit === '' &&
      trouble.length === 0 &&
      clients.counts.refused.length === 0,
    findings,
    productAudit,
    trouble,
    ownEnds: Object.fromEntries(system.all.map(({ name, ownEnds }) => [name, ownEnds.length])),
    refused: clients.counts.refused,
    faults,
    kills: kills.length,
    processesKilled: kills.reduce((sum, { killed }) => sum + killed.length, 0),
    recovery: recoveryOf(kills, watch.seenAtMs),
    clients: clients.counts,
    answers: questions.answers,
    counters,
    disk: system.disks?.out.how ?? 'none',
  };
}

/** Audits what an attack has kept, or keeps. */
export async function auditFolder(folder: string, digests: Digests): Promise<Findings> {
  const contents = await readContents(path.join(folder, KEPT.out));
  const findings = findDamage(contents, {
    ledger: await readLines<LedgerLine>(path.join(folder, KEPT.ledger)),
    uncertain: await readLines<Uncertain>(path.join(folder, KEPT.uncertain)),
    deleted: await readLines<LedgerLine>(path.join(folder, KEPT.deleted)),
    forgotten: await readLines<string>(path.join(folder, KEPT.forgotten)),
    maxBatchSize: MAX_BATCH_SIZE,
    rules: RULES,
    digests,
  });
  const stays = path.join(folder, KEPT.stays);
  if (existsSync(stays)) findings.damage.tooClose = await tooCloseIn(stays, RULES, APART_MS);
  return findings;
}

/** What `keepapart audit` may ask for: what was acknowledged, without what was deleted before it had an outcome. */
async function writeExpected(folder: string, lost: readonly string[]): Promise<string> {
  const file = path.join(folder, KEPT.expected);
  const gone = new Set(lost);
  const lines = await readLines<LedgerLine>(path.join(folder, KEPT.ledger));
  const expected = lines.filter(({ recordId }) => !gone.has(recordId));
  writeFileSync(file, expected.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}

const ENDS_BATCHERS: readonly Fault['kind'][] = ['terminate batcher', 'delete batcher'];

/** When all is quiet the sum is even, and nothing is out of reach unless an operator ended a batcher. */
function whatIsWrongAtRest(
  { unaccounted, counters }: StatusView['total'],
  { faults }: Round,
  rescued: string,
): string[] {
  const wrong: string[] = [];
  const { accepted, saved, rolledBack, lost } = counters;
  if (unaccounted !== 0) wrong.push(`unaccounted for: ${unaccounted}`);
  if (accepted !== saved + rolledBack + lost) wrong.push(`the sum isn't even: ${JSON.stringify(counters)}`);
  const ended = faults.some(({ fault }) => ENDS_BATCHERS.includes(fault.kind));
  const deleted = faults.some(({ fault }) => fault.kind.startsWith('delete'));
  if (lost > 0 && !deleted) wrong.push(`${lost} are said to be lost, and nothing was deleted`);
  if (rescued !== NOTHING_RESCUED && !ended) wrong.push(`${rescued}, and no batcher was ended`);
  return wrong;
}

/** It ends with the server that it cares for. */
const TEMPORAL = 'temporal';

/** Processes that ended by themselves at work, or in any way that isn't for what an operator is to read. */
function crashesOf(system: AttackedSystem): string[] {
  return system.all.flatMap(({ name, ownEnds }) =>
    ownEnds
      .filter(({ code, wasUp }) => (wasUp && name !== TEMPORAL) || (code !== 0 && code !== 1))
      .map(
        ({ code, signal, wasUp, said }) =>
          `${name} ended by itself: ${signal ?? code}${wasUp ? ', at work' : ''}\n${said}`,
      ),
  );
}

interface RoundContext extends AttackOptions, FaultContext {}

async function runRound(
  { lengthMs, faults }: Round,
  round: number,
  context: RoundContext,
  done: (report: FaultReport, carried: Carried) => void,
): Promise<void> {
  const { clients, seed, ratePerSecond, slowMs, say } = context;
  const load = startLoad(clients, {
    random: createRandom(seed, round),
    ratePerSecond,
    slowMs,
    apis: APIS.length,
  });
  const startedAtMs = Date.now();
  const act = async (atMs: number, what: string, carryItOut: () => Promise<Carried>) => {
    await sleep(atMs);
    const carried = await carryItOut();
    const overAtMs = Date.now() - startedAtMs;
    say(`  ${seconds(atMs)}  ${what}: ${carried.note} (over at ${seconds(overAtMs)})`);
    done({ round, atMs, overAtMs, what, note: carried.note }, carried);
  };
  await Promise.all([
    sleep(lengthMs),
    ...faults.map(({ atMs, fault }) => act(atMs, describeFault(fault), () => carryOut(fault, context))),
  ]);
  await load.stop();
}

function seconds(ms: number): string {
  return `${(ms / SECOND).toFixed(1).padStart(5)} s`;
}
