import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MIB, SECOND } from '../../domain/duration';
import { fetchingEnvironment } from './child-environment';
import type { Environment } from './executable';
import { BINARY_PHASE, type ReportStep } from './progress';
import { runCommand, stallGuard } from './run-command';
import { CLI_VERSION } from './version';

const POLL_MS = 200;

/** The SDK sets no timeout for a connection that never answers, as behind a firewall that drops packets. */
const STALL_MS = 20 * SECOND;

export interface DownloadOptions {
  env: Environment;
  signal: AbortSignal;
  report: ReportStep;
  /** Module to load the SDK's test environment from. */
  sdk?: string;
}

/**
 * Downloads Temporal's CLI as the SDK does for its tests: with its choice of platform, its proxy settings and its source
 * (temporal.download). In a separate process, because the SDK's download can't be aborted, and because loading it here
 * would create the SDK's one runtime per process before our settings apply.
 * @param folder an empty folder of ours
 * @returns the binary's path inside `folder`
 * @throws Error if nothing can be downloaded, at once without a network; not retried
 */
export async function download(folder: string, options: DownloadOptions): Promise<string> {
  const { report, sdk = require.resolve('@temporalio/testing') } = options;
  const binary = join(folder, `temporal-v${CLI_VERSION}`);
  const guard = stallGuard(STALL_MS);
  const finished = new AbortController();
  const args = ['-e', DOWNLOAD_SCRIPT, sdk, folder, `v${CLI_VERSION}`];
  const sdkProcess = runCommand(process.execPath, args, {
    env: fetchingEnvironment(options.env),
    signal: AbortSignal.any([options.signal, guard.signal, finished.signal]),
  });
  const ended = sdkProcess.then(
    () => new Error('the SDK ended without a download'),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  report(BINARY_PHASE.download, `downloading the Temporal server (CLI ${CLI_VERSION})`);
  let bytes = 0;
  try {
    for (;;) {
      const failure = await Promise.race([ended, delay(POLL_MS)]);
      // The SDK renames the complete file, and then starts it, which isn't needed here.
      if ((await sizeOf(binary)) > 0) return binary;
      if (failure !== undefined) throw failure;
      const size = await sizeOf(`${binary}.downloading`);
      if (size === bytes) continue;
      bytes = size;
      guard.touch();
      report(
        BINARY_PHASE.download,
        `downloading the Temporal server: ${Math.round(bytes / MIB)} MiB unpacked`,
      );
    }
  } finally {
    guard.release();
    finished.abort(new Error('the download is finished'));
    await ended;
  }
}

/** With `--help`, what the SDK starts ends at once. The SDK then waits for a server that never comes; we end it. */
const DOWNLOAD_SCRIPT = `
const [sdk, downloadDir, version] = process.argv.slice(1);
const executable = { type: 'cached-download', downloadDir, version };
require(sdk)
  .TestWorkflowEnvironment.createLocal({ server: { executable, extraArgs: ['--help'] } })
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
`;

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
