import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { KIB, SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { readableName } from '../server/enum-names';
import { claimDatabase } from './claim';
import { databaseIsReady, openDatabase, prepareDataDir, rotateLog, SERVER_FILE } from './data-folder';
import { serverEnvironment, type Environment } from './child-environment';
import { probeVersion } from './executable';
import { waitUntilHealthy } from './health';
import { chooseHiddenPort, choosePorts, type Endpoint, LOOPBACK } from './ports';
import { type ServerExit, type ServerProcess, spawnServer } from './server-process';

export { databaseServerVersion } from './data-folder';
export type { ServerExit } from './server-process';

const START_LIMIT_MS = 30 * SECOND;
const MAX_STARTS = 3;
const LOG_TAIL_LINES = 10;
/**
 * What the server logs if another process took a port that it had found free. If that is the gRPC port, the server
 * continues without it (its "fatal" doesn't end the process), and panics when it opens the HTTP API on the same address.
 */
const LOST_PORT = /address already in use|failed assigning ephemeral port|frontend\.NewHTTPAPIServer\(/;

export interface EmbeddedServerOptions {
  /** Path of `temporal`, from `resolveTemporalBinary`. */
  binary: string;
  /** Holds the database, the log and the claim; created if missing. */
  dataDir: string;
  /** gRPC port on the loopback interface; 0 picks a free one. */
  port: number;
  /** Whether to run Temporal's Web UI too. Default false. */
  webUi?: boolean;
  /** Where the Web UI has payloads decrypted; nowhere by default. */
  codecEndpoint?: string | undefined;
  /** Created if missing. Default `default`, which always exists. */
  namespace?: string;
  /** Whether what Temporal acknowledged survives a power cut (G3). Default true; false is for disposable databases. */
  durable?: boolean;
  /** Temporal's dynamic configuration: values as JSON, by name. */
  dynamicConfig?: Readonly<Record<string, string>>;
  /** Only what the server needs is passed on, and no secrets. */
  env: Environment;
  signal?: AbortSignal;
}

export interface EmbeddedServer {
  /** `host:port` for gRPC. */
  address: string;
  /**
   * Where the Web UI listens. It has no authentication, so put a guard in front of it and don't show it. Undefined without
   * a Web UI.
   */
  webUi: Endpoint | undefined;
  pid: number;
  logFile: string;
  /** Resolves when the server has ended, for any reason; see `requested`. */
  exited: Promise<ServerExit>;
  /** Resolves when the server has ended and released its database, within ten seconds; may be called repeatedly. */
  stop(): Promise<void>;
}

/**
 * Starts Temporal's development server on a database file and waits until it is healthy, at most 30 seconds. The server
 * ends with this process, however that ends, and doesn't keep this process alive.
 * @throws KeepapartError `folder-not-writable`, `port-in-use`, or `temporal-start-failed` with the end of its log (none of
 *   them retried); or the reason of `signal`
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

/** A running server and its addresses. */
type Started = Pick<EmbeddedServer, 'address' | 'webUi' | 'pid' | 'logFile'> & { server: ServerProcess };

/**
 * The server probes free ports for its inner services and releases them before it opens them, as we do for ours. Another
 * process may take one in between, so a start that fails for this reason is repeated.
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
        hint: `To use a Temporal server that already runs there, set TEMPORAL_ADDRESS=${LOOPBACK}:${options.port}.`,
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
    ended.abort(new Error(`it exited with ${signal ?? code ?? 'nothing started'}`));
  });
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  try {
    if (server.pid !== undefined) await noteServer(server.pid);
    const signals = [ended.signal, limit, ...(options.signal === undefined ? [] : [options.signal])];
    await waitUntilHealthy(ports, namespace, AbortSignal.any(signals));
    // Another server may have taken the port and answered.
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
    // Otherwise a development server reads its search attributes from the database for each call that might name one.
    'system.forceSearchAttributesCacheRefreshOnRead': 'false',
    // Hands activities to the worker together with the reply to the workflow task that schedules them: one transaction and
    // one dispatch less for each (docs/BENCHMARKS.md). Temporal's own default is off.
    'system.enableActivityEagerExecution': 'true',
    // Otherwise it would ask Temporal's servers for a newer version every day.
    'frontend.enableServerVersionCheck': 'false',
    ...CLOSED,
    ...options.dynamicConfig,
  };
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port), '--namespace', namespace],
    ...(webUi === undefined ? ['--headless'] : ['--ui-ip', webUi.host, '--ui-port', String(webUi.port)]),
    ...(options.codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', options.codecEndpoint]),
    // Relative to the working folder: the server puts the name into a URI unescaped, where % and ? are special.
    ...['--db-filename', SERVER_FILE.database],
    // The default, a rollback journal, is half as fast (docs/BENCHMARKS.md).
    ...['--sqlite-pragma', 'journal_mode=wal'],
    ...['--sqlite-pragma', `synchronous=${(options.durable ?? true) ? 'full' : 'off'}`],
    // So that nobody has to wait until the server knows our attributes.
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
 * The server opens an HTTP API on a port of its choice. It can't be disabled, and any page in a browser could send requests
 * to it, so it only answers for a host name that can't be guessed. It also serves Nexus, which keepapart doesn't use.
 */
const CLOSED = {
  'frontend.httpAllowedHosts': JSON.stringify([`${randomBytes(16).toString('hex')}.invalid`]),
  'system.enableNexus': 'false',
};

/** An aborted wait throws an AbortError that wraps the reason. */
function describe(error: unknown, ended: AbortSignal): string {
  const cause: unknown = ended.aborted ? ended.reason : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** The last lines that this start wrote; if there was a panic, its reason, because the last lines are a stack. */
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
