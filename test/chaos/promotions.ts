import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RUN_LIMITS } from '../../src/contracts/workflow/batcher';
import { SECOND } from '../../src/domain/duration';
import { bundleForReplay, replayHistories } from '../../src/temporal/replay/replay-histories';
import { promote } from '../../src/temporal/worker/versions';
import { waitFor } from '../helpers/wait-for';
import { createClients } from './clients';
import { findDamage, isDamaged, readContents, type Findings, type LedgerLine } from './damage';
import { readLines } from './json-lines';
import type { Profile } from './profile';
import { createRandom, type Random } from './random';
import { startAttackedSystem, type AttackedSystem } from './system';
import type { Uncertain } from './uncertain';
import { untilQuiet } from './until-quiet';

export interface PromotionOptions {
  folder: string;
  promotions: number;
  /** From one promotion to the next. */
  everyMs: number;
  /** Lists a second. */
  rate: number;
  seed: number;
  profile: Profile;
  atEnd: (clean: () => Promise<void>) => void;
  say: (line: string) => void;
}

export interface PromotionReport {
  clean: boolean;
  findings: Findings;
  promotions: number;
  /** How often a worker was stopped for up to 3 s, and killed, right before its build was promoted. */
  slow: number;
  killed: number;
  /** Questions to the API and, as from Temporal's Web UI, to the batcher itself. */
  reads: { api: number; queries: number; unanswered: number };
  runs: number;
  /** Workflow tasks of the batcher that failed, by cause; a task that a message overtook isn't one of them. */
  failedTasks: Record<string, number>;
  /** Runs that no worker could replay. */
  unreplayable: string[];
}

const BUILDS = { 'worker-1': 'a', 'worker-2': 'b' } as const;
const WORKERS = ['worker-1', 'worker-2'] as const;
const API = 'api-1';
const DEPLOYMENT = 'promotions';
const READERS = 3;
const OVERTAKEN = 'UnhandledCommand';

/** Two builds take turns, with slow and killed workers, under constant load and constant questions. */
export async function attackByPromotions(options: PromotionOptions): Promise<PromotionReport> {
  const { folder, say, promotions } = options;
  mkdirSync(folder, { recursive: true });
  const system = await startAttackedSystem({
    folder,
    workers: WORKERS,
    apis: [API],
    builds: BUILDS,
    limits: { ...RUN_LIMITS, historyEvents: 1000, messages: 300 },
    atEnd: options.atEnd,
    settings: {
      CONFLICTS: '[{"pair":[1,2]}]',
      FLUSH_INTERVAL_MS: '500',
      DEPLOYMENT,
      ...options.profile,
    },
  });
  const ledger = path.join(folder, 'ledger.jsonl');
  const uncertain = path.join(folder, 'uncertain.jsonl');
  const clients = createClients({ apis: [system.addressOf(API)], ledger, uncertain });
  const random = createRandom(options.seed);
  const reads = { api: 0, queries: 0, unanswered: 0 };
  const over = new AbortController();
  const isOver = (): boolean => over.signal.aborted;
  const load = (async () => {
    while (!isOver()) {
      void clients.send(random.uuid(), [random.integer(1, 9), random.integer(1, 9)], 0);
      await sleep(SECOND / options.rate);
    }
  })();
  const reading = Array.from({ length: READERS }, () => readOn(system, reads, isOver));
  let slow = 0;
  let killed = 0;
  for (let done = 0; done < promotions; done++) {
    const name = WORKERS[done % 2 === 0 ? 1 : 0];
    const how = random.next();
    if (how < 0.2) {
      slow++;
      void stopFor(system, name, random);
    } else if (how < 0.25) {
      killed++;
      system.get(name).signal('SIGKILL');
    }
    // Until its worker has started, a build may be refused.
    await waitFor('a promotion', () =>
      promote(system.client, DEPLOYMENT, { buildId: BUILDS[name] }).then(() => true),
    );
    if ((done + 1) % 50 === 0)
      say(`${done + 1} of ${promotions} promotions; ${reads.api} answers, ${reads.queries} of queries`);
    await sleep(options.everyMs);
  }
  over.abort();
  await Promise.all([load, ...reading]);
  await Promise.all(system.all.map((one) => one.waitUntilUp()));
  await untilQuiet(system, clients, API);
  say('quiet; replaying every run of the batcher');
  const { runs, failedTasks, unreplayable } = await examine(system);
  const findings = findDamage(await readContents(system.outDir), {
    ledger: await readLines<LedgerLine>(ledger),
    uncertain: await readLines<Uncertain>(uncertain),
    maxBatchSize: system.maxBatchSize,
    rules: system.rules,
  });
  return {
    clean: !isDamaged(findings.damage) && unreplayable.length === 0 && Object.keys(failedTasks).length === 0,
    findings,
    promotions,
    slow,
    killed,
    reads,
    runs,
    failedTasks,
    unreplayable,
  };
}

async function stopFor(system: AttackedSystem, name: string, random: Random): Promise<void> {
  if (!system.get(name).signal('SIGSTOP')) return;
  await sleep(random.integer(200, 3000));
  system.get(name).signal('SIGCONT');
}

async function readOn(
  system: AttackedSystem,
  reads: PromotionReport['reads'],
  isOver: () => boolean,
): Promise<void> {
  const batcher = system.client.workflow.getHandle(system.batcherId);
  for (let turn = 0; !isOver(); turn++) {
    try {
      if (turn % 2 === 0) {
        const response = await fetch(`${system.urlOf(API)}/v1/status`, {
          signal: AbortSignal.timeout(15 * SECOND),
        });
        await response.arrayBuffer();
        reads.api++;
      } else {
        await system.client.withDeadline(Date.now() + 15 * SECOND, () => batcher.query('status'));
        reads.queries++;
      }
    } catch {
      reads.unanswered++;
    }
    await sleep(100);
  }
}

/** Reads every run of the batcher, counts what failed in it, and replays it. */
async function examine({ client, batcherId }: AttackedSystem) {
  const failedTasks: Record<string, number> = {};
  const runs: { workflowId: string; history: object }[] = [];
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${batcherId}'` })) {
    const history = await client.workflow.getHandle(batcherId, runId).fetchHistory();
    for (const { workflowTaskFailedEventAttributes: failed } of history.events ?? []) {
      if (failed == null) continue;
      const cause = String(failed.cause);
      if (/UNHANDLED_COMMAND/.test(cause) || cause === OVERTAKEN) continue;
      const said = `${cause}: ${failed.failure?.message?.slice(0, 100) ?? ''}`;
      failedTasks[said] = (failedTasks[said] ?? 0) + 1;
    }
    runs.push({ workflowId: batcherId, history });
  }
  const unreplayable: string[] = [];
  for await (const { mismatch } of replayHistories(await bundleForReplay(), runs))
    if (mismatch !== undefined) unreplayable.push(JSON.stringify(mismatch).slice(0, 300));
  return { runs: runs.length, failedTasks, unreplayable };
}
