import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import {
  RUN_LIMITS,
  pauseSignal,
  type BatcherInput,
  type BatcherWorkflow,
} from '../../src/contracts/workflow/batcher';
import { WORKFLOW_TYPE, batcherWorkflowId } from '../../src/contracts/workflow/ids';
import { loadConfig } from '../../src/config';
import { batcherAddress } from '../../src/temporal/shard/batcher-address';
import { connectClient, embeddedTarget } from '../../src/temporal/server/connection';
import { Shards } from '../../src/temporal/shard/shards';
import { profiling } from '../harness/profiling';
import { startProgram, type Program } from '../harness/programs';
import { ANY_PORTS, MAIN, ROLE_UP, row } from '../contenders/servers/temporal';

const ROOT = path.resolve(__dirname, '../..');
const BASELINE = [
  '-r',
  path.join(ROOT, 'test/helpers/run-typescript.js'),
  path.join(__dirname, 'baseline-server.ts'),
];

export const CONTENDERS = [
  'nothing stored',
  'signal per request',
  'update per request',
  'keepapart',
  'keepapart, keys',
] as const;
export type Contender = (typeof CONTENDERS)[number];

const KEY = 'the-key-of-the-bench';
/** The batcher of the two baselines that store. */
const BASELINE_BATCHER = 'baseline';
const NO_LIMITS = { maxBufferedRecords: Infinity, maxBufferedBytes: Infinity };

export interface Stack {
  /** Where a contender takes lists. */
  url(contender: Contender): string;
  /** What each request brings besides. */
  headers: Record<string, string>;
  /** Empties the buffers and pauses the batchers, so that the figures are those of the way in alone. */
  reset(): Promise<void>;
  /** How many records a contender's batcher has taken since; undefined for one that stores nothing. */
  taken(contender: Contender): Promise<number | undefined>;
  /** By name, for figures of what each has used. */
  pids: Record<string, number>;
  stop(): Promise<void>;
}

/** Temporal, one worker, keepapart's API and the two it is measured against: all on this machine, all at once. */
export async function startStack(): Promise<Stack> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keepapart-bench-'));
  const started: Program[] = [];
  const pids: Record<string, number> = {};
  const start = async (name: string, args: readonly string[], env: NodeJS.ProcessEnv, up = ROLE_UP) => {
    const log = path.join(folder, `${name}.log`);
    const program = await startProgram(process.execPath, args, { cwd: folder, env, up, log });
    started.push(program);
    pids[name] = program.pid;
    return program;
  };
  const stop = async () => {
    for (const program of started.reverse()) await program.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const env = environment();
    const temporal = await start('temporal', [MAIN, 'temporal'], env);
    const address = row(temporal, 'Temporal');
    const reaching = { ...env, TEMPORAL_ADDRESS: address };
    await start('worker', [MAIN, 'worker'], reaching);
    const api = row(await start('api', [...profiling('api'), MAIN, 'api'], reaching), 'API');
    const other = batcherWorkflowId(BASELINE_BATCHER, 0);
    const baseline = async (mode: string) => {
      const running = await start(
        mode === 'none' ? 'nothing' : mode,
        [...BASELINE, mode, address, other],
        env,
        /listening \d+/,
      );
      return `http://127.0.0.1:${/listening (\d+)/.exec(running.output())?.[1]}/v1/records`;
    };
    const urls: Record<Contender, string> = {
      'nothing stored': await baseline('none'),
      'signal per request': await baseline('signal'),
      'update per request': await baseline('update'),
      keepapart: api,
      'keepapart, keys': api,
    };
    const client = await connectClient(embeddedTarget(address));
    const own = batcherAddress(loadConfig({ env, flags: {} }).config);
    const input: BatcherInput = { settings: own.settings, limits: RUN_LIMITS };
    const ownId = batcherWorkflowId(own.batcherId, 0);
    return {
      url: (contender) => urls[contender],
      headers: { Authorization: `Bearer ${KEY}` },
      async reset() {
        for (const workflowId of [ownId, other]) await restart(client, workflowId, own.taskQueue, input);
      },
      async taken(contender) {
        if (contender === 'nothing stored') return undefined;
        const batcherId = contender.endsWith('per request') ? BASELINE_BATCHER : own.batcherId;
        const shards = new Shards(client, { ...own, batcherId }, NO_LIMITS);
        return (await shards.at(0).status()).counters.accepted;
      },
      pids,
      async stop() {
        await client.connection.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function restart(
  client: Client,
  workflowId: string,
  taskQueue: string,
  input: BatcherInput,
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  await handle.terminate('measured anew').catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  });
  await client.workflow.signalWithStart<BatcherWorkflow, [{ by: string; atMs: number }]>(
    WORKFLOW_TYPE.batcher,
    {
      workflowId,
      taskQueue,
      args: [input],
      signal: pauseSignal.name,
      signalArgs: [{ by: 'bench', atMs: Date.now() }],
    },
  );
}

/** Our own without settings, and with what makes room for seconds of load that nothing drains. */
function environment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(KEEPAPART_|TEMPORAL_)/.test(name));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    NODE_ENV: 'production',
    KEEPAPART_API_KEYS: `bench:${createHash('sha256').update(KEY).digest('hex')}`,
    ...ANY_PORTS,
    KEEPAPART_MAX_BUFFERED_RECORDS: '200000',
    KEEPAPART_MAX_BUFFERED_BYTES: '33554432',
  };
}
