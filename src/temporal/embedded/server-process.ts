import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { SECOND } from '../../domain/duration';
import type { Environment } from './executable';

const STOP_GRACE_MS = 10 * SECOND;
/** As a umask: no access for others. */
const OWNER_ONLY = 0o077;

/** How the server ended. */
export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Whether our `stop` ended it. */
  requested: boolean;
}

export interface ServerProcess {
  /** Undefined if it could not be started; `exited` then resolves. */
  pid: number | undefined;
  exited: Promise<ServerExit>;
  /** Sends SIGTERM, and SIGKILL after ten seconds; resolves when it has ended; may be called repeatedly. */
  stop(): Promise<void>;
}

export interface SpawnOptions {
  args: readonly string[];
  cwd: string;
  env: Environment;
  /** stdout and stderr are appended to it. */
  logFile: string;
}

/**
 * Outlives us and then ends the server. Only we hold the other end of its stdin pipe, so it reads the end of file however we
 * die. First line: the server's pid. Second line: the server has ended, so its pid must no longer be used.
 */
const WATCHDOG = `
read -r pid || exit 0
if read -r ended; then exit 0; fi
kill -TERM "$pid" || exit 0
tries=0
while kill -0 "$pid" && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL "$pid"
`;

/**
 * Starts the server so that it neither dies before us nor outlives us. The server and its watchdog get their own sessions:
 * Ctrl-C reaches everything in the terminal's foreground group, but the server must live until our worker has shut down;
 * and after a SIGKILL to our whole group, something must be left to end the server. Neither keeps this process alive: if
 * it ends without `stop`, the watchdog takes over.
 */
export function spawnServer(binary: string, options: SpawnOptions): ServerProcess {
  const { args, cwd } = options;
  const env = { ...options.env };
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG], {
    detached: true,
    cwd: '/',
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a watchdog the server still runs; the claim file lets the next start find it.
  watchdog.on('error', () => {});
  watchdog.stdin.on('error', () => {});

  // Its database holds records. A child inherits the umask of this moment.
  const mask = process.umask(OWNER_ONLY);
  const log = openSync(options.logFile, 'a');
  const server = spawn(binary, args, { detached: true, cwd, env, stdio: ['ignore', log, log] });
  closeSync(log);
  process.umask(mask);
  // In the same turn of the event loop as the spawn, so that almost nothing can happen in between.
  if (server.pid !== undefined) watchdog.stdin.write(`${server.pid}\n`);

  let requested = false;
  const exited = new Promise<ServerExit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      watchdog.stdin.end('ended\n');
      resolve({ code, signal, requested });
    };
    server.once('exit', end);
    server.once('error', () => end(null, null));
  });
  server.unref();
  watchdog.unref();
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();

  const stop = async (): Promise<void> => {
    requested = true;
    server.ref();
    server.kill('SIGTERM');
    const force = setTimeout(() => server.kill('SIGKILL'), STOP_GRACE_MS);
    await exited;
    clearTimeout(force);
  };
  let stopping: Promise<void> | undefined;
  return { pid: server.pid, exited, stop: () => (stopping ??= stop()) };
}
