import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RUN_LIMITS, type RunLimits } from '../../src/contracts/workflow/batcher';
import type { ConflictRule } from '../../src/domain/rules';
import { KIB, MIB } from '../../src/domain/duration';
import { historyToText } from '../replay/history-json';
import { createClients, type ClientCounts, type Clients } from './clients';
import { findDamage, isDamaged, readContents, type Contents, type Findings, type LedgerLine } from './damage';
import { readLines } from './json-lines';
import type { JournalEntry } from './journal-store';
import type { Profile } from './profile';
import { createRandom, type Random } from './random';
import { readRuns, type RunFigures } from './soak-server';
import { startAttackedSystem, type AttackedSystem } from './system';
import type { Uncertain } from './uncertain';
import { untilQuiet } from './until-quiet';

export interface SoakOptions {
  folder: string;
  records: number;
  /** How many of the records are sent while the batcher is paused. */
  pausedRecords: number;
  maxBatchSize: number;
  /** Records of one request. */
  listLength: number;
  /** Clients at once, each with one list at a time. */
  clients: number;
  limits: Pick<RunLimits, 'historyEvents' | 'messages'>;
  store: 'files' | 'memory';
  profile: Profile;
  atEnd: (clean: () => Promise<void>) => void;
  say: (line: string) => void;
}

/** What every run of the batcher has to stay below, as the server measures it. */
export const BOUNDS = { historyEvents: 5000, historyBytes: 2 * MIB, carriedBytes: 512 * KIB } as const;

export interface SoakReport {
  clean: boolean;
  findings: Findings;
  /** What exceeded a bound, one sentence each. */
  exceeded: string[];
  runs: number;
  worst: Omit<RunFigures, 'runId'>;
  /** Most pages of the buffer at once, as the batcher told while it was paused. */
  pages: number;
  recordsPerSecond: number;
  clients: ClientCounts;
}

const RULES: readonly ConflictRule[] = [{ pair: [1, 2] }, { distinct: '/customer' }];
const WORKER = 'worker-1';
const API = 'api-1';

/** One shard under full load, as fast as 429 lets it, with a batcher that continues as new all the time. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { folder, say, maxBatchSize } = options;
  mkdirSync(folder, { recursive: true });
  const journal = options.store === 'memory' ? path.join(folder, 'journal.jsonl') : undefined;
  const limits = { ...RUN_LIMITS, ...options.limits };
  const system = await startAttackedSystem({
    folder,
    workers: [WORKER],
    apis: [API],
    limits,
    atEnd: options.atEnd,
    ...(journal !== undefined && { journal }),
    settings: {
      CONFLICTS: JSON.stringify(RULES),
      MAX_BATCH_SIZE: String(maxBatchSize),
      FLUSH_INTERVAL_MS: '1000',
      MAX_BUFFERED_RECORDS: '50000',
      MAX_BUFFERED_BYTES: '8MiB',
      ...options.profile,
    },
  });
  const ledger = path.join(folder, 'ledger.jsonl');
  const uncertain = path.join(folder, 'uncertain.jsonl');
  const clients = createClients({ apis: [system.addressOf(API)], ledger, uncertain });
  const random = createRandom(options.records);

  await order(system, 'pause');
  await sendAll(clients, random, options, options.pausedRecords);
  const { pages, bufferedRecords } = await system.status();
  say(`paused: ${bufferedRecords} records are buffered, in ${pages} pages and the batcher itself`);
  await order(system, 'resume');
  const startedAtMs = performance.now();
  const telling = setInterval(() => {
    void system.status().then(
      ({ bufferedRecords, inFlight, pages, counters, run }) =>
        say(
          `${counters.saved + counters.rolledBack} settled, ${bufferedRecords} buffered (${pages} pages), ` +
            `${inFlight} in flight, run ${run.continuedAsNew + 1}`,
        ),
      () => undefined,
    );
  }, 10_000);
  const tellNoMore = async () => {
    clearInterval(telling);
    await Promise.resolve();
  };
  options.atEnd(tellNoMore);
  await sendAll(clients, random, options, options.records - options.pausedRecords);
  await untilQuiet(system, clients, API);
  await tellNoMore();
  const tookMs = performance.now() - startedAtMs;

  say('quiet; reading what the server reports of each run');
  const runs = await readRuns(system.client, system.batcherId, limits);
  const contents = journal === undefined ? await readContents(system.outDir) : await readJournal(journal);
  const findings = findDamage(contents, {
    ledger: await readLines<LedgerLine>(ledger),
    uncertain: await readLines<Uncertain>(uncertain),
    maxBatchSize,
    rules: RULES,
  });
  const worst = worstOf(runs);
  const exceeded: string[] = [];
  for (const figure of Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]) {
    if (worst[figure] < BOUNDS[figure]) continue;
    const file = await keepHistory(
      system,
      runs.find((run) => run[figure] === worst[figure]),
    );
    exceeded.push(
      `${figure} of a run came to ${worst[figure]}, and may not come to ${BOUNDS[figure]}: ${file} has its history`,
    );
  }
  return {
    clean: !isDamaged(findings.damage) && clients.counts.refused.length === 0 && exceeded.length === 0,
    findings,
    exceeded,
    runs: runs.length,
    worst,
    pages,
    recordsPerSecond: options.records / (tookMs / 1000),
    clients: clients.counts,
  };
}

async function order(system: AttackedSystem, what: 'pause' | 'resume'): Promise<void> {
  const response = await fetch(`${system.urlOf(API)}/v1/${what}`, { method: 'POST' });
  if (!response.ok) throw new Error(`${what}: ${response.status} ${await response.text()}`);
}

/** So many records, in lists, by clients of which each waits for its acknowledgement; half of them use keys. */
async function sendAll(
  clients: Clients,
  random: Random,
  { listLength, clients: count }: SoakOptions,
  records: number,
): Promise<void> {
  let left = records;
  /** @param withKey whether the client sends each list under a key */
  async function run(withKey: boolean): Promise<void> {
    while (left > 0) {
      const length = Math.min(left, listLength);
      left -= length;
      await clients.send(
        withKey ? random.uuid() : undefined,
        Array.from({ length }, () => makeValue(random)),
        0,
      );
    }
  }
  await Promise.all(Array.from({ length: count }, (_, client) => run(client % 2 === 0)));
}

/** Some 150 bytes, so that a large buffer doesn't fit into what is carried. */
function makeValue(random: Random) {
  if (random.next() < 0.1) return random.pick([1, 2]);
  return { customer: random.integer(0, 5000), note: random.uuid().repeat(3) };
}

/** Why a run grew too long is to be read from its history, which goes with the server. */
async function keepHistory(
  { client, batcherId }: AttackedSystem,
  run: RunFigures | undefined,
): Promise<string> {
  const { runId = '' } = run ?? {};
  const file = path.join(tmpdir(), `keepapart-soak-${runId}.json`);
  const history = await client.workflow.getHandle(batcherId, runId).fetchHistory();
  await writeFile(file, historyToText(history));
  return file;
}

async function readJournal(file: string): Promise<Contents> {
  const entries = await readLines<JournalEntry>(file);
  return new Map(entries.map(({ name, content }) => [name, content]));
}

function worstOf(runs: readonly RunFigures[]): Omit<RunFigures, 'runId'> {
  const most = (pick: (run: RunFigures) => number | null) => Math.max(...runs.map((run) => pick(run) ?? 0));
  return {
    historyEvents: most((run) => run.historyEvents),
    historyBytes: most((run) => run.historyBytes),
    carriedBytes: most((run) => run.carriedBytes),
    messages: most((run) => run.messages),
    handOverMs: most((run) => run.handOverMs),
    refusedHandOvers: most((run) => run.refusedHandOvers),
  };
}
