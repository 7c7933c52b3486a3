import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SECOND } from '../../domain/duration';
import { serverEnvironment } from './child-environment';

const run = promisify(execFile);

/** Environment variables for a child process, from those of the caller. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The output of `temporal --version`. */
export interface BinaryVersion {
  /** Version of the CLI; `0.0.0-DEV` if it was built without one. */
  version: string;
  /** Version of the server inside, `major.minor.patch`. */
  serverVersion: string;
}

/** Absolute path of the first executable file called `name` in the folders of PATH, as a shell would find it. */
export async function findOnPath(name: string, env: Environment): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const candidate = resolve(folder, name);
    if (folder !== '' && (await isExecutableFile(candidate))) return candidate;
  }
  return undefined;
}

/** Whether there is a file at `path` that this process may execute. */
export async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs `temporal --version`, which also proves that the file is complete and fits this machine.
 * @throws Error if it doesn't run, or doesn't answer as Temporal's CLI does; not retried
 */
export async function probeVersion(path: string, env: Environment): Promise<BinaryVersion> {
  const { stdout } = await run(path, ['--version'], {
    env: { ...serverEnvironment(env) },
    timeout: 20 * SECOND,
  });
  const match = /version (\S+) .*?server v?(\d+\.\d+\.\d+)/i.exec(stdout);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new Error(`answered --version with ${JSON.stringify(stdout.slice(0, 80))}`);
  }
  return { version: match[1], serverVersion: match[2] };
}
