import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testServer } from './temporal-server';

const MAIN = path.resolve(__dirname, '../../dist/src/cli/main.js');

/** A `keepapart` process as a user starts it, in a process group of its own. */
export interface StartedCommand {
  child: ChildProcess;
  /** Everything printed so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  ended: Promise<number | string>;
  /** `kill -9` of the whole process group. */
  killGroup(): Promise<void>;
  /** What Ctrl-C sends; resolves with the exit code. */
  interrupt(): Promise<number | string>;
}

export function startCommand(
  args: readonly string[],
  {
    cwd,
    env = {},
    input,
    main = MAIN,
  }: { cwd: string; env?: Record<string, string>; input?: string; main?: string | undefined },
): StartedCommand {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...inherited(),
      KEEPAPART_HTTP_PORT: '0',
      KEEPAPART_TCP_PORT: '0',
      KEEPAPART_TEMPORAL_PORT: '0',
      KEEPAPART_UI_PORT: '0',
      ...env,
    },
  });
  // A command that has failed may not read it to the end.
  child.stdin.on('error', () => undefined).end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, signal);
    }
  };
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    async killGroup() {
      signalGroup('SIGKILL');
      await ended;
    },
    interrupt() {
      signalGroup('SIGINT');
      return ended;
    },
  };
}

/** What a started process says of itself in its summary. */
export interface System extends StartedCommand {
  apiUrl: string;
  /** Empty when the gateway is turned off. */
  gatewayAddress: string;
  temporalAddress: string;
  webUiUrl: string;
}

/** Starts a role and waits until it says that it is running. */
export async function startSystem(
  role: 'serve' | 'api' | 'worker' | 'temporal',
  options: {
    cwd: string;
    env?: Record<string, string>;
    /** Of another installation than the one that is built here. */
    main?: string;
    flags?: readonly string[];
  },
): Promise<System> {
  const command = startCommand([role, ...(options.flags ?? [])], options);
  const running = new Promise<void>((resolve) => {
    command.child.stdout?.on('data', () => {
      if (command.stdout().includes('Ctrl-C stops it')) resolve();
    });
  });
  const code = await Promise.race([running, command.ended]);
  if (code !== undefined) throw new Error(`${role} ended with ${code}: ${command.stderr()}`);
  const row = (name: string) => new RegExp(`^ +${name} +(\\S+)$`, 'm').exec(command.stdout())?.[1] ?? '';
  return {
    ...command,
    apiUrl: row('API').replace('/v1/records', ''),
    gatewayAddress: row('TCP gateway'),
    temporalAddress: row('Temporal'),
    webUiUrl: row('Temporal Web UI'),
  };
}

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keepapart-e2e-'));
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Our own environment without settings; the test server's binary is found on PATH. */
function inherited(): NodeJS.ProcessEnv {
  const binary = path.dirname(testServer().binary);
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(KEEPAPART_|TEMPORAL_|NODE_ENV$)/.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: `${binary}${path.delimiter}${process.env['PATH'] ?? ''}` };
}
