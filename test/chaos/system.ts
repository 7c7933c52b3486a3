import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { BatcherInput, BatcherStatus, RunLimits } from '../../src/contracts/workflow/batcher';
import { WORKFLOW_TYPE, batcherWorkflowId } from '../../src/contracts/workflow/ids';
import type { ConflictRule } from '../../src/domain/rules';
import { connectClient, embeddedTarget } from '../../src/temporal/server/connection';
import { defaultCacheDir, resolveTemporalBinary } from '../../src/temporal/embedded/binary';
import { SERVER_FILE } from '../../src/temporal/embedded/data-folder';
import { choosePorts, LOOPBACK } from '../../src/temporal/embedded/ports';
import { endProcess, type ProcessIdentity } from '../../src/temporal/embedded/process-identity';
import { registerWithTemporal } from '../../src/temporal/server/register';
import { loadConfig } from '../../src/config';
import { batcherAddress } from '../../src/temporal/shard/batcher-address';
import type { RescueReport } from '../../src/temporal/rescue/rescue';
import { Shards } from '../../src/temporal/shard/shards';
import { startProxy, type Proxy } from './proxy';
import type { ApiAddress } from './sending';
import { createSmallDisk, type SmallDisk } from './small-disk';
import { supervise, type CommandSpec, type Supervised } from './supervisor';

const ROOT = path.resolve(__dirname, '../..');
const MAIN = path.join(ROOT, 'dist/src/cli/main.js');
const WORKER = ['-r', path.join(__dirname, 'run-built.js'), path.join(__dirname, 'worker.ts')];
const CLOCK = path.join(__dirname, 'shift-clock.js');
const REPEATS = path.join(__dirname, 'repeat-calls.js');
/** Nobody listens there: what goes by a proxy of the environment to loopback gets nowhere. */
const DEAD_PROXY = `http://${LOOPBACK}:9`;
const STOP_GRACE_MS = 10_000;

export interface SystemOptions {
  /** Everything goes there. */
  folder: string;
  workers: readonly string[];
  apis: readonly string[];
  /** The builds of workers, by the names of these. Such a worker is a plain one, whose store can't be attacked. */
  builds?: Readonly<Record<string, string>>;
  /** Settings of every process, by their names without `KEEPAPART_`. */
  settings: Readonly<Record<string, string>>;
  /** At which lengths the batcher continues as new. */
  limits: RunLimits;
  /** Size of the file systems for DATA_DIR and OUT_DIR; without it they lie in the folder like anything else. */
  diskMegabytes?: { data: number; out: number };
  /** What has to be done at the end, however it comes, also while the system is still starting. */
  atEnd: (clean: () => Promise<void>) => void;
  /** Gives the workers a store in memory that tells its outcomes to this file. */
  journal?: string;
  /** Has the workers note there when which records are with their store. */
  stays?: string;
}

/** What `keepapart rescue --apply` said. */
export interface RescueRun {
  /** Undefined when it broke off, as a worker or Temporal wasn't there. */
  report: RescueReport | undefined;
  said: string;
}

/** Temporal, workers and APIs as processes of their own, each started again whenever it ends. */
export interface AttackedSystem {
  readonly client: Client;
  readonly batcherId: string;
  readonly rules: readonly ConflictRule[];
  readonly maxBatchSize: number;
  readonly outDir: string;
  readonly disks: Readonly<Record<'data' | 'out', SmallDisk>> | undefined;
  readonly all: readonly Supervised[];
  /** What the batcher reports about itself. */
  status(): Promise<BatcherStatus>;
  /** Base URL of an API, which stays the same over its restarts. */
  urlOf(api: string): string;
  addressOf(api: string): ApiAddress;
  get(name: string): Supervised;
  /** The Temporal server itself; undefined while there is none. */
  serverPid(): number | undefined;
  /**
   * What `keepapart audit` says of the files, the ledger, Temporal's closed batches and the sums of all batchers; empty
   * when nothing is damaged but that so many outcomes are more than one a record, and every batcher has answered.
   */
  audit(ledger: string, allowedDoubled: number): Promise<string>;
  /**
   * Starts the batcher of a shard with the limits of the attack; of one that runs, only in place of it, which terminates
   * that in the same moment. With neither it would begin with the first signal, and with the usual limits.
   */
  startBatcher(shard: number, how?: { inPlace: boolean }): Promise<void>;
  /** With how many shards commands are called from now on. */
  setShards(shards: number): void;
  /** `keepapart rescue --apply`. */
  rescue(): Promise<RescueRun>;
  /** Has what a process asks of Temporal reach it twice, within so long; 0 ends it. */
  repeatCalls(name: string, withinMs: number): void;
  /** Whether calls have been repeated within so long. */
  repeatedWithin(ms: number): boolean;
  /** Sets how wrong the clock of a process is; 0 puts it right. */
  shiftClock(name: string, byMs: number): void;
  /** What stands between a worker or an API and the Temporal server. */
  proxyOf(name: string): Proxy;
}

export async function startAttackedSystem(options: SystemOptions): Promise<AttackedSystem> {
  const { folder, workers, apis } = options;
  const at = (...names: string[]) => path.join(folder, ...names);
  for (const name of ['logs', 'clocks', 'repeats', 'temporal', 'data', 'out'])
    mkdirSync(at(name), { recursive: true });
  const disks = options.diskMegabytes && {
    data: createSmallDisk(at('data'), options.diskMegabytes.data),
    out: createSmallDisk(at('out'), options.diskMegabytes.out),
  };
  const [temporalPort = 0, ...ports] = await fixedPorts(1 + 2 * apis.length);
  const apiPorts = ports.slice(0, apis.length);
  const tcpPorts = ports.slice(apis.length);
  const base = await environment(options);
  const hooks = (name: string) => ({
    KEEPAPART_TEST_CLOCK: at('clocks', name),
    KEEPAPART_TEST_REPEATS: at('repeats', name),
  });
  const reaching = { ...base, TEMPORAL_ADDRESS: `${LOOPBACK}:${temporalPort}` };
  const proxies = new Map<string, Proxy>();
  for (const name of [...workers, ...apis]) proxies.set(name, await startProxy(temporalPort));
  const proxyOf = (name: string): Proxy => {
    const found = proxies.get(name);
    if (found === undefined) throw new TypeError(`nothing stands between ${name} and Temporal`);
    return found;
  };
  const proxied = (name: string) => ({ ...base, TEMPORAL_ADDRESS: `${LOOPBACK}:${proxyOf(name).port}` });
  const specs: CommandSpec[] = [
    {
      name: 'temporal',
      args: [MAIN, 'temporal'],
      env: { ...base, KEEPAPART_DATA_DIR: at('temporal'), KEEPAPART_TEMPORAL_PORT: String(temporalPort) },
    },
    ...workers.map((name): CommandSpec => {
      const build = options.builds?.[name];
      if (build !== undefined)
        return { name, args: [MAIN, 'worker'], env: { ...proxied(name), KEEPAPART_BUILD_ID: build } };
      const args = ['-r', CLOCK, '-r', REPEATS, ...WORKER];
      return { name, args, env: { ...proxied(name), ...hooks(name) }, ipc: true };
    }),
    ...apis.map((name, index) => ({
      name,
      args: ['-r', CLOCK, '-r', REPEATS, MAIN, 'api'],
      env: {
        ...proxied(name),
        ...hooks(name),
        KEEPAPART_HTTP_PORT: String(apiPorts[index]),
        KEEPAPART_TCP_PORT: String(tcpPorts[index]),
      },
    })),
  ];
  const all = specs.map((spec) => supervise(spec, at('logs')));
  const get = (name: string): Supervised => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) throw new TypeError(`there is no ${name}`);
    return found;
  };
  const urlOf = (api: string) => `http://${LOOPBACK}:${apiPorts[apis.indexOf(api)]}`;
  const { config } = loadConfig({ env: base, flags: {} });
  let { shards } = config;
  let repeatedUntilMs = -Infinity;
  const address = batcherAddress(config);
  options.atEnd(stop);

  /** Leaves the files in the folder. */
  async function stop(): Promise<void> {
    const [temporal, ...others] = all;
    // What has lost its Temporal server could not stop in good order.
    await Promise.all(others.map((one) => one.stop()));
    await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
    await temporal?.stop(STOP_GRACE_MS);
    const { server } = claim(at('temporal'));
    if (server !== undefined) await endProcess(server);
    for (const disk of Object.values(disks ?? {})) disk.remove();
  }

  /** A command of keepapart. The workers reach Temporal by proxies in this process, so it mustn't wait for it idly. */
  async function run(args: string[], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env: { ...reaching, ...env } });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...said };
  }

  await get('temporal').start();
  const client = await connectClient(embeddedTarget(`${LOOPBACK}:${temporalPort}`));
  options.atEnd(() => client.connection.close());
  await registerWithTemporal(client);
  const firstShard = new Shards(client, address, config).at(0);
  const startBatcher: AttackedSystem['startBatcher'] = async (shard, { inPlace } = { inPlace: false }) => {
    const input: BatcherInput = { settings: address.settings, limits: options.limits };
    await client.workflow.start(WORKFLOW_TYPE.batcher, {
      workflowId: batcherWorkflowId(config.batcherId, shard),
      taskQueue: config.taskQueue,
      workflowIdConflictPolicy: inPlace ? 'TERMINATE_EXISTING' : 'USE_EXISTING',
      args: [input],
    });
  };
  await startBatcher(0);
  await Promise.all([...workers, ...apis].map((name) => get(name).start()));
  return {
    client,
    batcherId: batcherWorkflowId(config.batcherId, 0),
    rules: config.conflicts,
    maxBatchSize: config.maxBatchSize,
    outDir: at('out'),
    disks,
    all,
    status: () => firstShard.status(),
    urlOf,
    addressOf: (api) => ({ url: () => urlOf(api), tcpPort: tcpPorts[apis.indexOf(api)] ?? 0 }),
    get,
    serverPid: () => claim(at('temporal')).server?.pid,
    async audit(ledger, allowedDoubled) {
      const audited = ['audit', '--temporal', '--ledger', ledger];
      const { code, stdout } = await run([...audited, '--json']);
      const report = stdout === '' ? undefined : (JSON.parse(stdout) as AuditJson);
      // Nobody knows the sum of a batcher that is silent.
      if (report?.silentBatchers.length === 0)
        if (code === 0 || isDamagedByDoublesAlone(report, allowedDoubled)) return '';
      const told = await run(audited);
      return `keepapart audit ended with ${code}\n${told.stdout}${told.stderr}`;
    },
    startBatcher,
    setShards(to) {
      shards = to;
    },
    async rescue() {
      const { code, stdout, stderr } = await run(['rescue', '--apply', '--json'], {
        KEEPAPART_SHARDS: String(shards),
      });
      const report = code === 0 ? (JSON.parse(stdout) as RescueReport) : undefined;
      return { report, said: stderr.trim() || `ended with ${code}` };
    },
    proxyOf,
    repeatCalls(name, withinMs) {
      writeFileSync(at('repeats', name), String(withinMs));
      repeatedUntilMs = withinMs === 0 ? performance.now() : Infinity;
    },
    repeatedWithin: (ms) => performance.now() - repeatedUntilMs < ms,
    shiftClock: (name, byMs) => writeFileSync(at('clocks', name), String(byMs)),
  };
}

type Kinds = Record<string, { count: number }>;
interface AuditJson {
  files: { damage: Kinds };
  batches: { damage: Kinds } | null;
  sums: { unaccounted: number }[] | null;
  silentBatchers: string[];
}

/** @param allowedDoubled so many outcomes beyond one a record may be there, and nothing else may be wrong */
function isDamagedByDoublesAlone(report: AuditJson, allowedDoubled: number): boolean {
  const { doubled, ...others } = { ...report.files.damage, ...report.batches?.damage };
  return (
    doubled?.count === allowedDoubled &&
    Object.values(others).every(({ count }) => count === 0) &&
    (report.sums ?? []).every(({ unaccounted }) => unaccounted === 0)
  );
}

/** Our own environment without settings, and with those of the system. */
async function environment(options: SystemOptions): Promise<Record<string, string>> {
  const { folder, settings, journal, stays } = options;
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(KEEPAPART_|TEMPORAL_)|_proxy$/i.test(entry[0]),
  );
  const { path: binary } = await resolveTemporalBinary({
    cacheDir: defaultCacheDir(process.env, homedir()),
    env: process.env,
    onProgress: ({ message }) => process.stderr.write(`${message}\n`),
  });
  return {
    ...Object.fromEntries(kept),
    NODE_ENV: 'production',
    ...Object.fromEntries(
      ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'GRPC_PROXY'].flatMap((name) => [
        [name, DEAD_PROXY],
        [name.toLowerCase(), DEAD_PROXY],
      ]),
    ),
    PATH: `${path.dirname(binary)}${path.delimiter}${process.env['PATH'] ?? ''}`,
    KEEPAPART_DATA_DIR: path.join(folder, 'data'),
    KEEPAPART_OUT_DIR: path.join(folder, 'out'),
    KEEPAPART_UI_PORT: '0',
    KEEPAPART_TCP_PORT: '0',
    KEEPAPART_LOG_LEVEL: 'warn',
    KEEPAPART_OUTCOME_FORMAT: 'json',
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`KEEPAPART_${name}`, value])),
    ...(journal !== undefined && { KEEPAPART_TEST_JOURNAL: journal }),
    ...(stays !== undefined && { KEEPAPART_TEST_STAYS: stays }),
  };
}

/** Below those from which the system takes ports for outgoing connections: they have to be free again at each restart. */
async function fixedPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const free = await choosePorts([{ port, setting: 'PORT' }]).catch(() => []);
    ports.push(...free.filter((one) => !ports.includes(one)));
  }
  return ports;
}

/** Who runs the Temporal server, as its keepapart process wrote it down. */
function claim(dataDir: string): { server?: ProcessIdentity } {
  try {
    return JSON.parse(readFileSync(path.join(dataDir, SERVER_FILE.claim), 'utf8')) as {
      server?: ProcessIdentity;
    };
  } catch {
    return {};
  }
}
