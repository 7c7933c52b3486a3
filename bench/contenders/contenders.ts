import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { NotHere, npmInstalled, pipInstalled } from './installs';
import { findPostgres, startPostgres } from './servers/postgres';
import { findRedis, startRedis } from './servers/redis';
import { registerServices, startRestate } from './servers/restate';
import {
  ANY_PORTS,
  MAIN,
  ROLE_UP,
  historyFigures,
  row,
  startTemporal,
  type HistoryFigures,
} from './servers/temporal';
import type { Stage } from './stage';

const run = promisify(execFile);
const REQUIRE_TYPESCRIPT = ['-r', path.resolve(__dirname, '../../test/helpers/run-typescript.js')];
const RUN_CLIENT = path.join(__dirname, 'work/run-client.ts');
const WORKER_UP = /worker is up/;
/** Records of a contender that does a few hundred a second at most, so that a run of all takes minutes and not hours. */
const SLOW = 3000;

/** Something that does the work. */
export interface Contender {
  name: string;
  /** What it is made of, in some words for the report. */
  shape: string;
  /** Records that it gets at most, because it is slow. */
  atMost?: number;
  /** Installs what is needed. @throws NotHere when that isn't to be had here */
  prepare(): Promise<void>;
  /** Starts servers and workers. @returns how to send, and what can be told when the work is done */
  start(stage: Stage): Promise<Started>;
}

export interface Started {
  /** The program that sends: see work/run-client.ts. */
  client: { command: string; args: string[]; env?: NodeJS.ProcessEnv };
  history?(): Promise<HistoryFigures>;
}

/** A contender of which the programs are Node's: `client.js` and `worker.js` in its folder. */
function nodeContender(
  { name, folder, kind = '', ...about }: NodePrograms,
  { find, serve, register }: NodeServer,
): Contender {
  const file = (program: string) => path.join(__dirname, folder, program);
  return {
    name,
    ...about,
    async prepare() {
      await npmInstalled(path.join(__dirname, folder));
      await find();
    },
    async start(stage) {
      const modules = await npmInstalled(path.join(__dirname, folder));
      const env = { NODE_PATH: modules };
      stage.work.kind = kind;
      stage.work.server = await serve(stage, modules);
      const worker = await stage.startNode('worker', [...REQUIRE_TYPESCRIPT, file('worker.js')], {
        env,
        up: WORKER_UP,
      });
      await register?.(stage, worker.output());
      return { client: nodeClient(file('client.js'), env) };
    },
  };
}

interface NodePrograms extends Pick<Contender, 'name' | 'shape' | 'atMost'> {
  folder: string;
  kind?: string;
}

interface NodeServer {
  find(): Promise<unknown>;
  /** @returns what the programs need to reach the server */
  serve(stage: Stage, modules: string): Promise<string>;
  register?(stage: Stage, workerOutput: string): Promise<void>;
}

function nodeClient(module: string, env: NodeJS.ProcessEnv = {}): Started['client'] {
  return { command: process.execPath, args: [...REQUIRE_TYPESCRIPT, RUN_CLIENT, module], env };
}

const onRedis: NodeServer = {
  find: findRedis,
  serve: async (stage) => startRedis(stage, await findRedis(), { durable: true }),
};
const onPostgres: NodeServer = {
  find: findPostgres,
  serve: async (stage) => startPostgres(stage, await findPostgres()),
};
const onRestate: NodeServer = {
  find: () => Promise.resolve(),
  serve: async (stage, modules) => JSON.stringify(await startRestate(stage, modules)),
  register: (stage, output) =>
    registerServices(
      JSON.parse(stage.work.server) as Awaited<ReturnType<typeof startRestate>>,
      Number(/worker is up at (\d+)/.exec(output)?.[1]),
    ),
};

export const bare: Contender = {
  name: 'bare Temporal',
  shape: 'an activity per record, a child per batch, one intake workflow',
  atMost: SLOW,
  prepare: () => Promise.resolve(),
  async start(stage) {
    const address = await startTemporal(stage);
    stage.work.server = address;
    const worker = [...REQUIRE_TYPESCRIPT, path.join(__dirname, 'bare/worker.ts')];
    await stage.startNode('worker', worker, { up: WORKER_UP });
    return {
      client: nodeClient(path.join(__dirname, 'bare/client.ts')),
      history: () => historyFigures(address),
    };
  },
};

/** What keepapart runs on, and with how many workers. */
export interface Deployment {
  /** Default: the embedded server. */
  startTemporal?(stage: Stage): Promise<string>;
  /** Default 1. */
  workers?: number;
  atMost?: number;
  /** `no keys`: see keepapart/client.ts. */
  kind?: string;
}

/** keepapart as it ships, each role a process, with default settings but these. */
export function keepapart(
  name: string,
  settings: Record<string, string>,
  { startTemporal: startServer = startTemporal, workers = 1, atMost, kind = '' }: Deployment = {},
): Contender {
  const env = {
    ...ANY_PORTS,
    ...settings,
    KEEPAPART_OUTCOME_FORMAT: 'json',
    KEEPAPART_CONFLICTS: JSON.stringify([{ pair: [1, 2], at: '/v' }]),
  };
  return {
    name,
    ...(atMost !== undefined && { atMost }),
    shape: Object.entries(settings)
      .map(([key, value]) => `${key.replace('KEEPAPART_', '')}=${value}`)
      .join(', '),
    async prepare() {
      await run(process.execPath, [MAIN, 'config'], { env: { ...process.env, ...env } }).catch(
        (error: unknown) => {
          throw new NotHere(`this build doesn't take its settings: ${(error as { stderr: string }).stderr}`);
        },
      );
    },
    async start(stage) {
      stage.work.kind = kind;
      const address = await startServer(stage);
      const folders = {
        KEEPAPART_DATA_DIR: stage.work.stagingDir,
        KEEPAPART_OUT_DIR: stage.work.outDir,
      };
      const reaching = { ...env, ...folders, TEMPORAL_ADDRESS: address };
      const preload = ['-r', path.join(__dirname, 'keepapart/failures.js')];
      const startRole = (role: 'worker' | 'api', node: string[]) =>
        stage.startNode(role, [...node, MAIN, role], { env: reaching, up: ROLE_UP });
      for (let worker = 0; worker < workers; worker++) await startRole('worker', preload);
      stage.work.server = row(await startRole('api', []), 'API').replace('/v1/records', '');
      return {
        client: nodeClient(path.join(__dirname, 'keepapart/client.ts')),
        history: () => historyFigures(address),
      };
    },
  };
}

const CELERY = path.join(__dirname, 'celery');

/** Celery's worker with eight processes: saves wait for the disk most of the time. */
function celery({
  name,
  kind,
  shape,
  atMost,
}: {
  name: string;
  kind: string;
  shape: string;
  atMost?: number;
}): Contender {
  const asItWas = kind === 'as-it-was';
  return {
    name,
    shape,
    ...(atMost !== undefined && { atMost }),
    async prepare() {
      await pipInstalled(CELERY);
      await findRedis();
    },
    async start(stage) {
      const bin = await pipInstalled(CELERY);
      stage.work.kind = kind;
      stage.work.server = await startRedis(stage, await findRedis(), { durable: !asItWas });
      const env = { PYTHONPATH: CELERY, PYTHONDONTWRITEBYTECODE: '1', C_FORCE_ROOT: 'true' };
      const python = path.join(bin, 'python');
      const app = asItWas ? 'as_it_was' : 'tasks';
      const options = asItWas ? [] : ['--concurrency=8', '--without-gossip', '--without-mingle'];
      const worker = ['-m', 'celery', '-A', app, 'worker', '--loglevel=info', ...options];
      // Celery logs every task; a worker that is measured says only what went wrong.
      await stage.start('worker', python, worker, { env, up: / ready\./ });
      if (asItWas)
        await stage.start('worker', python, [path.join(CELERY, 'as_it_was.py'), 'poll'], {
          env,
          up: /poller is up/,
        });
      return { client: { command: python, args: [path.join(CELERY, 'client.py')], env } };
    },
  };
}

/** All of them; the order is that of the report. */
export const CONTENDERS: readonly Contender[] = [
  bare,
  celery({
    name: 'Celery as it was',
    kind: 'as-it-was',
    shape: 'polled once a second, a batch per poll, sleeps between attempts, nothing synced in Redis',
    atMost: 60,
  }),
  celery({
    name: 'Celery, task per record',
    kind: 'record',
    shape: 'a task per record, a chord per batch, acks_late',
    atMost: SLOW,
  }),
  celery({ name: 'Celery, task per batch', kind: 'batch', shape: 'a task per batch, acks_late' }),
  nodeContender(
    { name: 'Restate', folder: 'restate', shape: 'a step per record, an invocation per batch' },
    onRestate,
  ),
  nodeContender(
    {
      name: 'DBOS',
      folder: 'dbos',
      shape: 'a step per record, a workflow per batch on a queue',
      atMost: SLOW,
    },
    onPostgres,
  ),
  nodeContender(
    { name: 'graphile-worker', folder: 'graphile-worker', shape: 'a job per batch, local queue' },
    onPostgres,
  ),
  nodeContender(
    {
      name: 'BullMQ, job per record',
      folder: 'bullmq',
      kind: 'flow',
      shape: 'a job per record, a flow per batch',
    },
    onRedis,
  ),
  nodeContender(
    { name: 'BullMQ, job per batch', folder: 'bullmq', kind: 'batch', shape: 'a job per batch' },
    onRedis,
  ),
  keepapart('keepapart', {}),
  keepapart('keepapart record', { KEEPAPART_SAVE_ACTIVITY: 'record' }, { atMost: SLOW }),
  keepapart('keepapart batch', { KEEPAPART_SAVE_ACTIVITY: 'batch' }),
  keepapart('keepapart batch, encrypted', {
    KEEPAPART_SAVE_ACTIVITY: 'batch',
    KEEPAPART_ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 'bench').toString('base64')}`,
  }),
];
