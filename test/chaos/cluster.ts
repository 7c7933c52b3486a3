import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { BatcherInput, RunLimits } from '../../src/contracts/batcher';
import { WORKFLOW_TYPE, batcherWorkflowId } from '../../src/contracts/ids';
import { connectClient, embeddedTarget } from '../../src/temporal/connection';
import { choosePorts } from '../../src/temporal/embedded/ports';
import { registerWithTemporal } from '../../src/temporal/register';
import { apiOf, type Api } from '../helpers/api';
import { TEST_SETTINGS } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';
import { prepareDisk, type Disk } from './disk';
import { RULES } from './records';
import { supervise, type Supervised } from './supervised';
import type { Moment, WorkerOptions } from './worker-options';

const ROOT = path.resolve(__dirname, '../..');
const MAIN = path.join(ROOT, 'dist/src/cli/main.js');
const TASK_QUEUE = 'chaos';
const BATCHER_ID = 'chaos';
const BATCHER = batcherWorkflowId(BATCHER_ID, 0);

/** Small, so that it continues as new all the time. */
const LIMITS: RunLimits = { historyEvents: 600, historyBytes: 200_000, messages: 15, startBytes: 256 * 1024 };

export interface ClusterOptions {
  /** Path of `temporal`. */
  binary: string;
  failureRate: number;
  slowSaveMs: number;
}

export interface Cluster {
  readonly folder: string;
  readonly outDir: string;
  readonly disk: Disk;
  readonly apis: readonly Supervised[];
  readonly apiUrls: readonly string[];
  readonly workers: readonly Supervised[];
  readonly temporal: Supervised;
  /** To the Temporal server, which may be away. */
  readonly client: Client;
  readonly batcherWorkflowId: string;
  /** Has a worker stand still at its next such moment; resolves when it does, with false when it ended before. */
  arm(worker: Supervised, moment: Moment): Promise<boolean>;
  killTemporalServer(): Promise<void>;
  /** Shifts the clock of workers and APIs. */
  shiftClock(offsetMs: number): void;
  status(): Promise<Awaited<ReturnType<Api['status']>>>;
  end(): Promise<void>;
}

/** Everything as processes of their own: a Temporal server, two workers, two APIs, on ports that they keep. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = mkdtempSync(path.join(tmpdir(), 'keepapart-chaos-'));
  const disk = prepareDisk(path.join(folder, 'disk'));
  const [temporalPort, ...apiPorts] = await choosePorts(
    ['TEMPORAL_PORT', 'HTTP_PORT', 'HTTP_PORT'].map((setting) => ({ port: 0, setting })),
  );
  const temporalAddress = `127.0.0.1:${temporalPort}`;
  const outDir = path.join(disk.path, 'out');
  const temporalData = path.join(folder, 'temporal');
  const clockFile = path.join(folder, 'clock');
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(KEEPAPART_|TEMPORAL_|NODE_ENV$|NODE_OPTIONS$)/.test(name),
    ),
  );
  const shifted = ['--require', path.join(__dirname, 'clock.js')];
  const waitingFor = new Map<Supervised, (reached: boolean) => void>();
  const command = (name: string, args: string[], env: NodeJS.ProcessEnv) => ({
    args,
    cwd: folder,
    logFile: path.join(folder, `${name}.log`),
    env: { ...inherited, CHAOS_CLOCK_FILE: clockFile, ...env },
  });

  const temporal = supervise(
    'temporal',
    command('temporal', [MAIN, 'temporal'], {
      PATH: `${path.dirname(options.binary)}${path.delimiter}${process.env['PATH'] ?? ''}`,
      KEEPAPART_DATA_DIR: temporalData,
      KEEPAPART_TEMPORAL_PORT: String(temporalPort),
      KEEPAPART_UI_PORT: '0',
    }),
  );
  const client = await waitFor('Temporal', () => connectClient(embeddedTarget(temporalAddress)), {
    timeoutMs: 60_000,
  });
  await registerWithTemporal(client);
  const input: BatcherInput = {
    settings: {
      ...TEST_SETTINGS,
      conflicts: RULES,
      flushIntervalMs: 500,
      retryIntervalMs: 500,
      outcomeFormat: 'json',
    },
    limits: LIMITS,
  };
  await client.workflow.start(WORKFLOW_TYPE.batcher, {
    workflowId: BATCHER,
    taskQueue: TASK_QUEUE,
    args: [input],
  });

  const workerOptions: WorkerOptions = {
    temporalAddress,
    taskQueue: TASK_QUEUE,
    dataDir: path.join(disk.path, 'data'),
    outDir,
    failureRate: options.failureRate,
    slowSaveMs: options.slowSaveMs,
  };
  mkdirSync(workerOptions.dataDir, { recursive: true });
  mkdirSync(outDir, { recursive: true });
  const workers = [0, 1].map((i) => {
    const runner = [...shifted, '-r', path.join(ROOT, 'test/helpers/run-typescript.js')];
    const worker: Supervised = supervise(
      `worker-${i}`,
      command(`worker-${i}`, [...runner, path.join(__dirname, 'worker.ts')], {
        CHAOS_WORKER: JSON.stringify(workerOptions),
      }),
      (child) => {
        child.on('message', () => settleWaiting(worker, true));
        child.on('exit', () => settleWaiting(worker, false));
      },
    );
    return worker;
  });
  function settleWaiting(worker: Supervised, reached: boolean): void {
    waitingFor.get(worker)?.(reached);
    waitingFor.delete(worker);
  }

  const apis = apiPorts.map((port, i) =>
    supervise(
      `api-${i}`,
      command(`api-${i}`, [...shifted, MAIN, 'api'], {
        TEMPORAL_ADDRESS: temporalAddress,
        KEEPAPART_HTTP_PORT: String(port),
        KEEPAPART_TASK_QUEUE: TASK_QUEUE,
        KEEPAPART_BATCHER_ID: BATCHER_ID,
        KEEPAPART_CONFLICTS: JSON.stringify(RULES),
        KEEPAPART_FLUSH_INTERVAL_MS: '500',
        KEEPAPART_RETRY_INTERVAL_MS: '500',
        KEEPAPART_OUTCOME_FORMAT: 'json',
      }),
    ),
  );
  const apiUrls = apiPorts.map((port) => `http://127.0.0.1:${port}`);

  const cluster: Cluster = {
    folder,
    outDir,
    disk,
    apis,
    apiUrls,
    workers,
    temporal,
    client,
    batcherWorkflowId: BATCHER,
    arm: (worker, moment) =>
      new Promise((resolve) => {
        waitingFor.set(worker, resolve);
        worker.child().send(moment, (error) => error && settleWaiting(worker, false));
      }),
    async killTemporalServer() {
      // None while it starts, after an earlier kill.
      const pid = await waitFor('the Temporal server', () => serverPid(temporalData), { timeoutMs: 60_000 });
      const before = temporal.restarts();
      endProcess(pid);
      await waitFor('the Temporal role to have noticed', () => temporal.restarts() > before, {
        timeoutMs: 60_000,
      });
    },
    shiftClock: (offsetMs) => writeFileSync(clockFile, String(offsetMs)),
    async status() {
      let failure: unknown;
      for (const url of apiUrls) {
        try {
          return await apiOf(url).status();
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    },
    async end() {
      await client.connection.close();
      await Promise.all([...apis, ...workers].map((each) => each.end()));
      const pid = serverPid(temporalData);
      await temporal.end();
      if (pid !== undefined) endProcess(pid);
      disk.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await waitFor('the APIs', () => cluster.status(), { timeoutMs: 60_000 });
    return cluster;
  } catch (error) {
    await cluster.end();
    throw error;
  }
}

/** The server's process, as the embedded server notes it (`src/temporal/embedded/claim.ts`). */
function serverPid(dataDir: string): number | undefined {
  try {
    const claim = JSON.parse(readFileSync(path.join(dataDir, 'temporal.pid'), 'utf8')) as {
      server?: { pid: number };
    };
    return claim.server?.pid;
  } catch {
    return undefined;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Its watchdog was faster.
  }
}
