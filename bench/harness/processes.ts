import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A process of the bench that says by a line of its output when it is up. */
export interface Running {
  pid: number;
  /** What it printed until it was up. */
  output: string;
  /** Ends it in good order, or by force after ten seconds. */
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 10_000;

/**
 * Starts `node` with these arguments and waits until its output matches `up`. Its log goes to a file, as reading it here
 * would cost the machine that is measured.
 * @throws Error with what it printed when the process ends before
 */
export async function startNode(
  args: readonly string[],
  { cwd, env, up, log }: { cwd: string; env: NodeJS.ProcessEnv; up: RegExp; log: string },
): Promise<Running> {
  const file = openSync(log, 'a');
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', file] });
  closeSync(file);
  const ended = once(child, 'close');
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (up.test(output)) return;
      output += chunk.toString();
      if (up.test(output)) resolve();
    });
    child.once('close', () =>
      reject(new Error(`${args.join(' ')} ended:\n${output}\n${readFileSync(log, 'utf8').slice(-5000)}`)),
    );
  });
  return {
    pid: child.pid ?? 0,
    output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await ended;
      clearTimeout(force);
    },
  };
}
