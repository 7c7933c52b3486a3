import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { KIB, SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { readableName } from '../server/enum-names';
import { claimDatabase } from './claim';
import { databaseIsReady, openDatabase, prepareDataDir, rotateLog, SERVER_FILE } from './data-folder';
import { serverEnvironment } from './child-environment';
import { type Environment, probeVersion } from './executable';
import { waitUntilHealthy } from './health';
import { chooseHiddenPort, choosePorts, type Endpoint, LOOPBACK } from './ports';
import { type ServerExit, type ServerProcess, spawnServer } from './server-process';

export { databaseServerVersion } from './data-folder';
export type { ServerExit } from './server-process';

const START_LIMIT_MS = 30 * SECOND;
const MAX_STARTS = 3;
const LOG_TAIL_LINES = 10;
/**
 * What the server says when somebody else has a port that it had found free. Where that is the port of gRPC, it goes on
 * without (its "fatal" doesn't end it), and panics when it makes the HTTP API for the same address.
 */
const LOST_PORT = /address already in use|failed assigning ephemeral port|frontend\.NewHTTPAPIServer\(/;

export interface EmbeddedServerOptions {
  /** Path of `temporal`, from `resolveTemporalBinary`. */
  binary: string;
  /** Holds database, log and claim; created when needed. */
  dataDir: string;
  /** gRPC port on the loopback interface; 0 for any free one. */
  port: number;
  /** Whether Temporal's Web UI runs too. Default false. */
  webUi?: boolean;
  /** Created when it doesn't exist. Default `default`, which always exists. */
  namespace?: string;
  /** Default true: what Temporal acknowledged survives a power cut (G3). False is for databases that are thrown away. */
  durable?: boolean;
  /** Temporal's dynamic configuration: values as JSON, by name. */
  dynamicConfig?: Readonly<Record<string, string>>;
  /** The server's process gets what it needs of it, and nothing that is secret. */
  env: Environment;
  signal?: AbortSignal;
}

export interface EmbeddedServer {
  /** `host:port` for gRPC. */
  address: string;
  /**
   * Where the Web UI listens, which asks nobody who they are: for a guard in front of it, not to be shown. Undefined
   * without a Web UI.
   */
  webUi: Endpoint | undefined;
  pid: number;
  logFile: string;
  /** Resolves when the server has ended, for whatever reason; look at `requested`. */
  exited: Promise<ServerExit>;
  /** Resolves when the server has ended and given its database free; at most ten seconds; may be repeated. */
  stop(): Promise<void>;
}

/**
 * Starts Temporal's development server on a database file and waits until it is healthy, at most 30 seconds. It dies with
 * this process, however that ends; it doesn't keep this process alive.
 * @throws KeepapartError `folder-not-writable`, `port-in-use`, or `temporal-start-failed` with the end of its log; or the
 *   reason of `signal`
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const dataDir = resolve(options.dataDir);
  const { serverVersion } = await probeVersion(options.binary, options.env);
  await prepareDataDir(dataDir);
  const claim = await claimDatabase(dataDir);
  try {
    await openDatabase(dataDir, serverVersion);
    const { server, ...rest } = await startOnFreePorts({ ...options, dataDir }, claim.noteServer);
    await databaseIsReady(dataDir, serverVersion).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    const released = server.exited.finally(claim.release);
    return {
      ...rest,
      exited: server.exited,
      stop: async () => {
        await server.stop();
        await released;
      },
    };
  } catch (error) {
    await claim.release();
    throw error;
  }
}

/** A server, and where it is. */
type Started = Pick<EmbeddedServer, 'address' | 'webUi' | 'pid' | 'logFile'> & { server: ServerProcess };

/**
 * The server probes the ports of its inner services and releases them before it opens them, as we do with ours. Another
 * process may take one in between, so a start that fails for this is repeated.
 */
async function startOnFreePorts(
  options: EmbeddedServerOptions,
  noteServer: (pid: number) => Promise<void>,
): Promise<Started> {
  for (let start = 1; ; start++) {
    const [port = 0] = await choosePorts([
      {
        port: options.port,
        setting: 'TEMPORAL_PORT',
        hint: `To use a Temporal server that runs there already, set TEMPORAL_ADDRESS=${LOOPBACK}:${options.port}.`,
      },
    ]);
    const webUi = options.webUi === true ? await chooseHiddenPort() : undefined;
    try {
      return await startOnce(options, { port, webUi }, noteServer);
    } catch (error) {
      const lostPort = error instanceof Error && LOST_PORT.test(error.message);
      if (!lostPort || start === MAX_STARTS) throw error;
    }
  }
}

async function startOnce(
  options: EmbeddedServerOptions,
  ports: { port: number; webUi: Endpoint | undefined },
  noteServer: (pid: number) => Promise<void>,
): Promise<Started> {
  const { binary, dataDir, namespace = 'default' } = options;
  const log = await rotateLog(dataDir);
  const server = spawnServer(binary, {
    args: serverArguments(options, ports, namespace),
    cwd: dataDir,
    env: serverEnvironment(options.env),
    logFile: log.path,
  });
  const ended = new AbortController();
  void server.exited.then(({ code, signal }) => {
    ended.abort(new Error(`it ended with ${signal ?? code ?? 'nothing started'}`));
  });
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  try {
    if (server.pid !== undefined) await noteServer(server.pid);
    const signals = [ended.signal, limit, ...(options.signal === undefined ? [] : [options.signal])];
    await waitUntilHealthy(ports, namespace, AbortSignal.any(signals));
    // What answered may have been another server, which took the port from ours.
    ended.signal.throwIfAborted();
  } catch (error) {
    await server.stop();
    options.signal?.throwIfAborted();
    const reason = limit.aborted
      ? `no answer within ${START_LIMIT_MS / SECOND} s`
      : describe(error, ended.signal);
    const detail = `The Temporal server did not come up: ${reason}.${await logTail(log)}`;
    throw new KeepapartError('temporal-start-failed', detail, { cause: error });
  }
  return {
    server,
    address: `${LOOPBACK}:${ports.port}`,
    webUi: ports.webUi,
    pid: server.pid ?? 0,
    logFile: log.path,
  };
}

function serverArguments(
  options: EmbeddedServerOptions,
  { port, webUi }: { port: number; webUi: Endpoint | undefined },
  namespace: string,
): string[] {
  const dynamicConfig = {
    // A development server reads from its database what attributes there are, for each call that might name one.
    'system.forceSearchAttributesCacheRefreshOnRead': 'false',
    // Hands activities to the worker together with the reply to the workflow task that schedules them: one transaction and
    // one dispatch less for each (docs/BENCHMARKS.md). Temporal's own default is off.
    'system.enableActivityEagerExecution': 'true',
    // It would ask Temporal's servers for a newer version every day.
    'frontend.enableServerVersionCheck': 'false',
    ...CLOSED,
    ...options.dynamicConfig,
  };
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port), '--namespace', namespace],
    ...(webUi === undefined ? ['--headless'] : ['--ui-ip', webUi.host, '--ui-port', String(webUi.port)]),
    // Relative to its working folder: the server puts the name into a URI unescaped, where % and ? would mean something.
    ...['--db-filename', SERVER_FILE.database],
    // The defaults, a rollback journal, run at half the speed (docs/BENCHMARKS.md).
    ...['--sqlite-pragma', 'journal_mode=wal'],
    ...['--sqlite-pragma', `synchronous=${(options.durable ?? true) ? 'full' : 'off'}`],
    // So nobody has to wait for it to learn of ours.
    ...Object.values(SEARCH_ATTRIBUTES).flatMap(({ name, type }) => [
      '--search-attribute',
      `${name}=${readableName(type)}`,
    ]),
    ...Object.entries(dynamicConfig).flatMap(([name, value]) => [
      '--dynamic-config-value',
      `${name}=${value}`,
    ]),
    ...['--log-level', 'error'],
  ];
}

/**
 * The server opens an HTTP API on a port of its own choice, which can't be turned off, and to which any page in a browser
 * could send: it answers only for a host that nobody can name. Nexus, which keepapart doesn't use, is served there as well.
 */
const CLOSED = {
  'frontend.httpAllowedHosts': JSON.stringify([`${randomBytes(16).toString('hex')}.invalid`]),
  'system.enableNexus': 'false',
};

/** An aborted wait throws an AbortError, with the reason inside. */
function describe(error: unknown, ended: AbortSignal): string {
  const cause: unknown = ended.aborted ? ended.reason : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** The last lines that this start wrote, or the reason of a panic, where the last lines are a stack. */
async function logTail(log: { path: string; size: number }): Promise<string> {
  const file = await open(log.path);
  try {
    const from = Math.max(log.size, (await file.stat()).size - 16 * KIB);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(16 * KIB), position: from });
    const text = buffer.toString('utf8', 0, bytesRead).trimEnd();
    if (text === '') return ` It wrote nothing to ${log.path}.`;
    const all = text.split('\n');
    const panic = all.findLastIndex((line) => line.startsWith('panic: '));
    const lines = panic < 0 ? all.slice(-LOG_TAIL_LINES) : all.slice(panic, panic + LOG_TAIL_LINES);
    return ` The end of ${log.path}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  } finally {
    await file.close();
  }
}
