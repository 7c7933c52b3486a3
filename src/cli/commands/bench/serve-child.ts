import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { flagName, type SettingKey } from '../../../config';
import type { Lifecycle } from '../../process/lifecycle';
import { API_KEY_VARIABLE } from '../../process/read-config';

/** Says that a role is up; the last line of its summary. */
const UP = /Ctrl-C stops it/;

/** A `keepapart serve` of its own, as a user starts it. */
export interface ServeChild {
  apiUrl: string;
  /** Ends it in good order. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  /** Given as flags, above whatever the environment and the configuration file say. */
  settings: Partial<Record<SettingKey, string>>;
  configFile: unknown;
  temporalAddress: string;
}

/**
 * Starts `keepapart serve`. What it logs goes where ours goes.
 * @throws Error when it ends before it is up
 */
export async function startServe(
  { settings, configFile, temporalAddress }: ServeOptions,
  lifecycle: Lifecycle,
): Promise<ServeChild> {
  const [, main = ''] = process.argv;
  const flags = Object.entries(settings).map(([key, value]) => `${flagName(key as SettingKey)}=${value}`);
  if (typeof configFile === 'string') flags.push(`--config=${configFile}`);
  const child = spawn(process.execPath, [main, 'serve', ...flags], {
    env: { ...process.env, [API_KEY_VARIABLE]: undefined, TEMPORAL_ADDRESS: temporalAddress },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A Ctrl-C at the terminal reaches us alone; we stop it.
    detached: true,
  });
  const ended = once(child, 'close');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  };
  lifecycle.onStop('the measured system', stop);
  let summary = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      summary += chunk.toString();
      if (UP.test(summary)) resolve();
    });
    child.once('close', () => reject(new Error('the system that was to be measured did not start')));
  });
  const apiUrl = /^ +API +(\S+)\/v1\/records$/m.exec(summary)?.[1];
  if (apiUrl === undefined) throw new TypeError('a system without an API');
  return { apiUrl, stop };
}
