import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SECOND } from '../../domain/duration';

const run = promisify(execFile);
const POLL_MS = 50;
const GRACE_MS = 10 * SECOND;

/** A process that can't be confused with a later one that has the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** When it was started, in a format that depends on the system; only for comparison. */
  started: string;
}

/** The process that has this pid now; undefined if there is none, or if the system doesn't tell. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? await startedOnLinux(pid) : await startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether exactly this process is still running. */
export async function isAlive({ pid, started }: ProcessIdentity): Promise<boolean> {
  return (await identify(pid))?.started === started;
}

/**
 * Ends a process that is not our child, and waits for its end: SIGTERM, and SIGKILL after ten seconds. Another process that
 * has its pid by now is left alone.
 */
export async function endProcess(target: ProcessIdentity): Promise<void> {
  const killAtMs = Date.now() + GRACE_MS;
  let sent: NodeJS.Signals | undefined;
  while (await isAlive(target)) {
    const signal = Date.now() < killAtMs ? 'SIGTERM' : 'SIGKILL';
    if (signal !== sent) send(target.pid, signal);
    sent = signal;
    await delay(POLL_MS);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended since the check.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Fields 3 and 22 of proc_pid_stat(5): the state, and the start in clock ticks since boot. A zombie counts as dead. */
async function startedOnLinux(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the command in parentheses, which may contain spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

async function startedByPs(pid: number): Promise<string | undefined> {
  const ps = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => undefined);
  const started = ps?.stdout.trim();
  return started === '' ? undefined : started;
}
