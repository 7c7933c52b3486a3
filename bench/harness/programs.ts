import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program of the bench, in a process group of its own: a Ctrl-C at the terminal reaches the bench alone. */
export interface Program {
  pid: number;
  /** Everything it has printed so far. */
  output(): string;
  /** Ends it gracefully, or kills its whole group after ten seconds. */
  stop(): Promise<void>;
}

/** A program that takes lines on its standard input and answers by lines on its standard output. */
export interface PipedProgram extends Program {
  stdin: Writable;
  stdout: Readable;
}

export interface ProgramOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Matches its output once it is up. */
  up: RegExp;
  /** The signal that ends it gracefully. Default SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /**
   * The file that takes everything it prints. Nobody reads a pipe while the program runs: that would take CPU time from
   * what is measured.
   */
  log: string;
}

const UP_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 20;
const STOP_GRACE_MS = 10_000;
/** Characters of a log that an error shows. */
const SHOWN = 5000;

const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) killGroup(pid);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/**
 * Starts a program and waits until its output matches `up`. However the bench ends, its programs end with it.
 * @throws Error with the output when it ends before, or isn't up within a minute
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Program> {
  const file = openSync(options.log, 'a');
  const { cwd, env } = options;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', file, file] });
  closeSync(file);
  return whenUp(child, options, () => readFileSync(options.log, 'utf8'));
}

/** The same for a program that is talked to by lines: only its errors go to `log`. */
export async function startPipedProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<PipedProgram> {
  const file = openSync(options.log, 'a');
  const { cwd, env } = options;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', file] });
  closeSync(file);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError(`${command} was started without pipes`);
  stdin.on('error', () => undefined);
  let printed = '';
  const note = (chunk: Buffer) => (printed += chunk.toString());
  stdout.on('data', note);
  const program = await whenUp(child, options, () => printed + readFileSync(options.log, 'utf8'));
  stdout.off('data', note);
  stdout.pause();
  return { ...program, stdin, stdout };
}

async function whenUp(
  child: ChildProcess,
  { up, stopSignal = 'SIGTERM' }: ProgramOptions,
  output: () => string,
): Promise<Program> {
  const pid = child.pid ?? 0;
  if (pid > 0) groups.add(pid);
  let failure: string | undefined;
  child.once('error', (error) => (failure = `can't be started: ${error.message}`));
  const ended = once(child, 'close').finally(() => {
    groups.delete(pid);
    failure ??= 'ended';
  });
  // A program that can't be started reports an error and has no `close`.
  ended.catch(() => undefined);
  const program: Program = {
    pid,
    output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null || pid === 0) return;
      child.kill(stopSignal);
      const force = setTimeout(() => killGroup(pid), STOP_GRACE_MS);
      await ended;
      clearTimeout(force);
    },
  };
  const deadline = Date.now() + UP_WITHIN_MS;
  while (!up.test(output())) {
    if (Date.now() > deadline) failure ??= 'is not up within a minute';
    if (failure !== undefined) {
      await program.stop();
      throw new Error(`${child.spawnargs.join(' ')} ${failure}:\n${output().slice(-SHOWN)}`);
    }
    await sleep(LOOK_EVERY_MS);
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
