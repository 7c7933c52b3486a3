import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SECOND } from '../../domain/duration';
import type { Environment } from './executable';

const KILL_GRACE_MS = 5 * SECOND;
const TAIL_LINES = 8;

export interface CommandOptions {
  env: Environment;
  /** Ends the command: SIGINT at once, SIGKILL after five seconds. */
  signal: AbortSignal;
  /** Called for each line that the command writes to stderr. */
  onLine?: (line: string) => void;
}

/**
 * Runs a command to its end; its stdout is discarded.
 * @throws the signal's reason if it was aborted, otherwise an Error with the last lines of stderr; not retried
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
    // `go` removes its work folder on SIGINT, but not on SIGTERM.
    child.kill('SIGINT');
    force = setTimeout(() => child.kill('SIGKILL'), KILL_GRACE_MS);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const ended = await new Promise<string | undefined>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) =>
        resolve(code === 0 ? undefined : `it exited with ${killedBy ?? code}`),
      );
    });
    signal.throwIfAborted();
    if (ended !== undefined) throw new Error(tail.length === 0 ? ended : tail.join('\n'));
  } finally {
    clearTimeout(force);
    signal.removeEventListener('abort', interrupt);
  }
}

/** Aborts work that shows no sign of life; work that makes progress may take any time. */
export interface StallGuard {
  /** Aborted if `touch` was not called for the limit. */
  signal: AbortSignal;
  /** Reports progress. */
  touch: () => void;
  /** Must be called at the end, or the timer keeps the process alive. */
  release: () => void;
}

/** @param limitMs maximum time without progress */
export function stallGuard(limitMs: number): StallGuard {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error(`gave up: no progress for ${Math.round(limitMs / SECOND)} s`));
  }, limitMs);
  return { signal: controller.signal, touch: () => timer.refresh(), release: () => clearTimeout(timer) };
}
