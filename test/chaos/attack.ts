import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_COUNTS, RUN_LIMITS, type BatcherCounters, type RunLimits } from '../../src/contracts/batcher';
import { SECOND } from '../../src/domain/duration';
import type { JsonValue } from '../../src/domain/json';
import { createClients, type ClientCounts, type Clients } from './clients';
import { startPostgres, type PostgresServer } from '../helpers/postgres-server';
import { findDamage, isDamaged, readContents, type Findings, type LedgerLine } from './damage';
import { carryOut, createTurns, type Carried, type Kill } from './faults';
import { readLines } from './json-lines';
import { startLoad } from './load';
import { APART_MS, type Profile } from './profile';
import { watchFiles, type Digests } from './published-files';
import { startQuestions, type Answers } from './questions';
import { createRandom } from './random';
import { recoveryOf, type Recovery } from './recovery';
import {
  APIS,
  WORKERS,
  describeFault,
  makeSchedule,
  type Round,
  type ScheduledFault,
  type ScheduleOptions,
} from './schedule';
import { tooCloseIn } from './stays';
import { startAttackedSystem, type AttackedSystem } from './system';
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
  lost: 'lost.jsonl',
  digests: 'digests.json',
  out: 'out',
  /** In scope `running` alone. */
  stays: 'stays.jsonl',
} as const;
export const MAX_BATCH_SIZE = 5;

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
  const postgres = options.profile['STORE'] === 'postgres' ? await startPostgres() : undefined;
  if (postgres !== undefined) options.atEnd(() => postgres.remove());
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
      // Equal records are one row there, which a statement may not meet twice.
      ...(postgres !== undefined && {
        POSTGRES_URL: postgres.url,
        CONFLICTS: JSON.stringify([...RULES, { distinct: '' }]),
      }),
      ...options.profile,
    },
  });
  const ledger = path.join(folder, KEPT.ledger);
  const urls = APIS.map((api) => () => system.urlOf(api));
  const clients = createClients({
    urls,
    ledger,
    lost: path.join(folder, KEPT.lost),
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

  for (const [index, round] of schedule.entries()) {
    say(
      `round ${index + 1} of ${schedule.length}: ${round.faults.length} faults in ${round.lengthMs / SECOND} s`,
    );
    await runRound(round, index + 1, { ...options, system, clients, postgres }, (report, { kill }) => {
      faults.push(report);
      if (kill !== undefined) kills.push(kill);
    });
    counters = await untilQuiet(system, clients, APIS[0]);
    findings = await auditFolder(folder, watch.digests);
    say(`round ${index + 1} is quiet: ${findings.acknowledged} acknowledged, ${findings.outcomes} outcomes`);
    productAudit = system.audit(ledger);
    if (isDamaged(findings.damage) || productAudit !== '') break;
  }
  await questions.stop();
  await watch.stop();
  writeFileSync(path.join(folder, KEPT.digests), JSON.stringify(watch.digests));
  if (findings === undefined) throw new TypeError('a schedule has rounds');
  return {
    seed,
    clean: !isDamaged(findings.damage) && productAudit === '' && clients.counts.refused.length === 0,
    findings,
    productAudit,
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
    lost: await readLines<JsonValue[]>(path.join(folder, KEPT.lost)),
    maxBatchSize: MAX_BATCH_SIZE,
    rules: RULES,
    digests,
  });
  const stays = path.join(folder, KEPT.stays);
  if (existsSync(stays)) findings.damage.tooClose = await tooCloseIn(stays, RULES, APART_MS);
  return findings;
}

interface RoundContext extends AttackOptions {
  system: AttackedSystem;
  clients: Clients;
  postgres: PostgresServer | undefined;
}

async function runRound(
  { lengthMs, faults }: Round,
  round: number,
  context: RoundContext,
  done: (report: FaultReport, carried: Carried) => void,
): Promise<void> {
  const { system, clients, postgres, seed, ratePerSecond, slowMs, say } = context;
  const load = startLoad(clients, {
    random: createRandom(seed, round),
    ratePerSecond,
    slowMs,
    apis: APIS.length,
  });
  const turns = createTurns();
  const startedAtMs = Date.now();
  const act = async (atMs: number, what: string, carryItOut: () => Promise<Carried>) => {
    await sleep(atMs);
    const carried = await carryItOut();
    const overAtMs = Date.now() - startedAtMs;
    say(`  ${seconds(atMs)}  ${what}: ${carried.note} (over at ${seconds(overAtMs)})`);
    done({ round, atMs, overAtMs, what, note: carried.note }, carried);
  };
  const killPostgres = async (server: PostgresServer): Promise<Carried> => {
    await server.kill();
    await server.start();
    return { note: 'all of its processes, and started again' };
  };
  await Promise.all([
    sleep(lengthMs),
    ...(postgres === undefined ? [] : [act(lengthMs / 2, 'kill Postgres', () => killPostgres(postgres))]),
    ...faults.map(({ atMs, fault }) =>
      act(atMs, describeFault(fault), () => carryOut(fault, { system, clients, limits: LIMITS, turns })),
    ),
  ]);
  await load.stop();
}

function seconds(ms: number): string {
  return `${(ms / SECOND).toFixed(1).padStart(5)} s`;
}
