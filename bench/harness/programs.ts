import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';

/** A program of the bench, in a process group of its own: a Ctrl-C at the terminal reaches the bench alone. */
export interface Program {
  pid: number;
  child: ChildProcessWithoutNullStreams;
  /** Everything printed so far. */
  output(): string;
  /** Ends it in good order, or its whole group by force after ten seconds. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** What it prints when it is up. */
  up: RegExp;
  /** What ends it in good order. Default SIGTERM. */
  stopSignal?: NodeJS.Signals;
}

const UP_WITHIN_MS = 60_000;
const STOP_GRACE_MS = 10_000;

const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) killGroup(pid);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/**
 * Starts a program and waits until its output matches `up`. Whatever becomes of the bench, its programs end with it.
 * @throws Error with the output when it ends before, or isn't up within a minute
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  { cwd, env, up, stopSignal = 'SIGTERM' }: ProgramOptions,
): Promise<Program> {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: 'pipe' });
  const pid = child.pid ?? 0;
  if (pid > 0) groups.add(pid);
  const ended = once(child, 'close').finally(() => groups.delete(pid));
  // One that can't be started has no `close`; the promise below tells why.
  ended.catch(() => undefined);
  child.stdin.on('error', () => undefined);
  let output = '';
  const program: Program = {
    pid,
    child,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(stopSignal);
      const force = setTimeout(() => killGroup(pid), STOP_GRACE_MS);
      await ended;
      clearTimeout(force);
    },
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string) => reject(new Error(`${[command, ...args].join(' ')} ${what}:\n${output}`));
      timer = setTimeout(() => fail('is not up within a minute'), UP_WITHIN_MS);
      const note = (chunk: Buffer) => {
        output += chunk.toString();
        if (up.test(output)) resolve();
      };
      child.stdout.on('data', note);
      child.stderr.on('data', note);
      child.once('error', (error) => fail(`can't be started: ${error.message}`));
      child.once('close', () => fail('ended'));
    });
  } catch (error) {
    await program.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return program;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
