import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../helpers/wait-for';
import type { FromWorker, ToWorker } from './points';

const RESTART_PAUSE_MS = 500;
const UP_LIMIT_MS = 300_000;
/** What a role of keepapart prints when it is up (src/cli/terminal/summary.ts). */
const UP = 'Ctrl-C stops it';

export interface CommandSpec {
  name: string;
  args: readonly string[];
  env: Readonly<NodeJS.ProcessEnv>;
  /** Talks to us over IPC, and says by it when it is up. */
  ipc?: boolean;
}

/** How a process ended to which we had done nothing. */
export interface OwnEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Whether it had said that it was up: before that it may end, as nobody answers whom it needs. */
  wasUp: boolean;
}

/** A command that is kept running: whenever it ends, it is started again. */
export interface Supervised {
  readonly name: string;
  /** Of the process that runs now; undefined in between. */
  readonly pid: number | undefined;
  /** When it was started, each time, in milliseconds since the epoch. */
  readonly startsAtMs: readonly number[];
  /** Whether the process that runs now has said that it is up. */
  readonly up: boolean;
  /** What it has said over IPC since it was started. */
  readonly said: readonly FromWorker[];
  /** How its processes ended that nobody had sent a signal to. */
  readonly ownEnds: readonly OwnEnd[];
  /** Has it not be started again, until it is let go. */
  hold(): void;
  letGo(): void;
  /** Changes settings, with which it is started from now on. */
  change(env: Readonly<Record<string, string>>): void;
  start(): Promise<void>;
  tell(message: ToWorker): void;
  /** Sends a signal to its process group; false when there is none. */
  signal(signal: NodeJS.Signals): boolean;
  waitUntilUp(timeoutMs?: number): Promise<void>;
  /** Ends it for good, in good order if it takes less than `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

export function supervise(spec: CommandSpec, logDir: string): Supervised {
  let child: ChildProcess | undefined;
  let stopping = false;
  let held = false;
  let env = spec.env;
  /** Whether the process that runs now was sent a signal by us. */
  let signalled = false;
  const ownEnds: OwnEnd[] = [];
  const startsAtMs: number[] = [];
  let up = false;
  let said: FromWorker[] = [];

  function launch(): void {
    const log = openSync(path.join(logDir, `${spec.name}.log`), 'a');
    const started = spawn(process.execPath, spec.args, {
      // Where no configuration file lies that isn't ours.
      cwd: logDir,
      detached: true,
      env,
      stdio: ['ignore', 'pipe', log, ...(spec.ipc === true ? (['ipc'] as const) : [])],
    });
    closeSync(log);
    child = started;
    startsAtMs.push(Date.now());
    up = false;
    signalled = false;
    said = [];
    started.on('message', (message: FromWorker) => {
      if (child !== started) return;
      said.push(message);
      if ('ready' in message) up = true;
    });
    started.stdout?.on('data', (chunk: Buffer) => {
      if (child === started && chunk.includes(UP)) up = true;
    });
    // What it was told in the moment of its end.
    started.on('error', () => undefined);
    started.once('exit', (code, signal) => {
      child = undefined;
      if (!stopping && !signalled) ownEnds.push({ code, signal, wasUp: up });
      up = false;
      if (!stopping) void restart();
    });
  }

  async function restart(): Promise<void> {
    await sleep(RESTART_PAUSE_MS);
    if (!stopping && !held && child === undefined) launch();
  }

  const supervised: Supervised = {
    name: spec.name,
    startsAtMs,
    ownEnds,
    hold() {
      held = true;
    },
    letGo() {
      held = false;
      if (!stopping && child === undefined) launch();
    },
    change(changes) {
      env = { ...env, ...changes };
    },
    get pid() {
      return child?.pid;
    },
    get up() {
      return up;
    },
    get said() {
      return said;
    },
    start() {
      launch();
      return supervised.waitUntilUp();
    },
    tell(message) {
      if (child?.connected === true) child.send(message, () => undefined);
    },
    signal(signal) {
      const pid = child?.pid;
      if (pid === undefined) return false;
      // It has no time to take anything back.
      if (signal === 'SIGKILL') up = false;
      if (signal === 'SIGKILL' || signal === 'SIGTERM') signalled = true;
      try {
        return process.kill(-pid, signal);
      } catch {
        return false;
      }
    },
    async waitUntilUp(timeoutMs = UP_LIMIT_MS) {
      await waitFor(`${spec.name} to be up; see its log in ${logDir}`, () => up, { timeoutMs });
    },
    async stop(graceMs = 0) {
      stopping = true;
      if (child === undefined) return;
      const ended = once(child, 'exit');
      if (graceMs > 0) supervised.signal('SIGTERM');
      const force = setTimeout(() => supervised.signal('SIGKILL'), graceMs);
      await ended;
      clearTimeout(force);
    },
  };
  return supervised;
}
