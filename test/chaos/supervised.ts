import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** As long as a supervisor of its own takes to notice. */
const RESTART_AFTER_MS = 300;

export interface Supervised {
  readonly name: string;
  /** The process that runs at the moment. */
  child(): ChildProcess;
  /** When the process that runs was started, in milliseconds since the epoch. */
  startedAtMs(): number;
  /** How often it was started anew. */
  restarts(): number;
  /** SIGKILL to its process group; resolves when it has ended. It is started anew by itself. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it for good. */
  end(): Promise<void>;
}

/** Keeps a process running, as an init system does: whatever ends it, it is started anew. */
export function supervise(
  name: string,
  command: { args: readonly string[]; env: NodeJS.ProcessEnv; cwd: string; logFile: string },
  onStart: (child: ChildProcess) => void = () => undefined,
): Supervised {
  let ending = false;
  let restarts = -1;
  let startedAtMs = 0;
  let child: ChildProcess;
  const log = createWriteStream(command.logFile, { flags: 'a' });

  function start(): void {
    restarts++;
    startedAtMs = Date.now();
    child = spawn(process.execPath, command.args, {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.on('error', () => undefined);
    child.on('exit', () => {
      if (!ending) void sleep(RESTART_AFTER_MS).then(() => ending || start());
    });
    onStart(child);
  }

  function signal(name: NodeJS.Signals): void {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // It ended in this very moment.
    }
  }

  start();
  return {
    name,
    child: () => child,
    startedAtMs: () => startedAtMs,
    restarts: () => restarts,
    async kill() {
      const victim = child;
      if (victim.exitCode !== null || victim.signalCode !== null) return;
      const ended = once(victim, 'exit');
      signal('SIGKILL');
      await ended;
    },
    signal,
    async end() {
      ending = true;
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        signal('SIGKILL');
        await ended;
      }
      log.end();
    },
  };
}
