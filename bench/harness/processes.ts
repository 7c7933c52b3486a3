import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A process of the bench that says by a line of its output when it is up. */
export interface Running {
  pid: number;
  /** Everything printed so far. */
  output(): string;
  /** Ends it in good order, or by force after ten seconds. */
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 10_000;

/**
 * Starts `node` with these arguments and waits until its output matches `up`. What it prints is kept, not shown.
 * @throws Error with the output when the process ends before
 */
export async function startNode(
  args: readonly string[],
  { cwd, env, up }: { cwd: string; env: NodeJS.ProcessEnv; up: RegExp },
): Promise<Running> {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const note = (chunk: Buffer) => {
      output += chunk.toString();
      if (up.test(output)) resolve();
    };
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    child.once('close', () => reject(new Error(`${args.join(' ')} ended:\n${output}`)));
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await ended;
      clearTimeout(force);
    },
  };
}
