import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SECOND } from '../../domain/duration';
import type { Environment } from './executable';

const KILL_GRACE_MS = 5 * SECOND;
const TAIL_LINES = 8;

export interface CommandOptions {
  env: Environment;
  /** Ends the command: interrupted at once, killed after five seconds. */
  signal: AbortSignal;
  /** Each line the command writes to stderr. */
  onLine?: (line: string) => void;
}

/**
 * Runs a command to its end; stdout is thrown away.
 * @throws the signal's reason when it was aborted, otherwise an Error with the last lines of stderr
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<void> {
  const { signal, onLine } = options;
  signal.throwIfAborted();
  const child = spawn(file, args, { env: { ...options.env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const tail: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    onLine?.(line);
  });

  let force: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    // `go` removes its work folder on an interrupt, not on SIGTERM.
    child.kill('SIGINT');
    force = setTimeout(() => child.kill('SIGKILL'), KILL_GRACE_MS);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const ended = await new Promise<string | undefined>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) =>
        resolve(code === 0 ? undefined : `it ended with ${killedBy ?? code}`),
      );
    });
    signal.throwIfAborted();
    if (ended !== undefined) throw new Error(tail.length === 0 ? ended : tail.join('\n'));
  } finally {
    clearTimeout(force);
    signal.removeEventListener('abort', interrupt);
  }
}

/** Gives up on work that shows no sign of life; work that goes on may take as long as it likes. */
export interface StallGuard {
  /** Aborted when nothing was touched for the limit. */
  signal: AbortSignal;
  /** Says that the work goes on. */
  touch: () => void;
  /** To be called in the end, or the timer keeps the process alive. */
  release: () => void;
}

/** @param limitMs the longest silence that is still taken for work */
export function stallGuard(limitMs: number): StallGuard {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error(`gave up: no progress for ${Math.round(limitMs / SECOND)} s`));
  }, limitMs);
  return { signal: controller.signal, touch: () => timer.refresh(), release: () => clearTimeout(timer) };
}
