import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { SECOND } from '../../domain/duration';
import type { Environment } from './executable';

const STOP_GRACE_MS = 10 * SECOND;
/** As a umask: nothing for anybody else. */
const OWNER_ONLY = 0o077;

/** How the server ended. */
export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Whether it was our `stop` that ended it. */
  requested: boolean;
}

export interface ServerProcess {
  /** Undefined when there was nothing to execute; `exited` then resolves. */
  pid: number | undefined;
  exited: Promise<ServerExit>;
  /** SIGTERM, SIGKILL after ten seconds; resolves when it has ended; may be called any number of times. */
  stop(): Promise<void>;
}

export interface SpawnOptions {
  args: readonly string[];
  cwd: string;
  env: Environment;
  /** Takes stdout and stderr, appended. */
  logFile: string;
}

/**
 * Outlives us, and ends the server then. Its stdin is a pipe of which only we hold the other end: however we die, it
 * reads the end of it. First line: the server's pid. Second line: the server has ended, and its pid is nobody's business
 * any more.
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
 * Starts the server so that it neither dies with us too early nor survives us. Both it and its watchdog get a session of
 * their own: a Ctrl-C reaches everything in the terminal's foreground group, but the server has to live until our worker
 * has stopped in good order; and a SIGKILL to our whole group must leave somebody to end the server.
 * Neither keeps this process alive: when it ends without `stop`, the watchdog takes over.
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
  // Without a watchdog the server still runs; the claim file then finds it at the next start.
  watchdog.on('error', () => {});
  watchdog.stdin.on('error', () => {});

  // Its database holds records. A child takes over the mask that we have in this very moment.
  const mask = process.umask(OWNER_ONLY);
  const log = openSync(options.logFile, 'a');
  const server = spawn(binary, args, { detached: true, cwd, env, stdio: ['ignore', log, log] });
  closeSync(log);
  process.umask(mask);
  // In the same turn of the event loop as the spawn, so that hardly anything can happen in between.
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
