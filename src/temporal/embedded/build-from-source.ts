import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MINUTE, SECOND } from '../../domain/duration';
import { fetchingEnvironment } from './child-environment';
import type { Environment } from './executable';
import { findOnPath } from './executable';
import { BINARY_PHASE, type ReportStep } from './progress';
import { runCommand, stallGuard } from './run-command';
import { CLI_VERSION, OLDEST_GO_VERSION } from './version';

const MODULE = 'github.com/temporalio/cli';
const MAIN_PACKAGE = `${MODULE}/cmd/temporal`;

/** For 1.5.1, from `go list -deps`: number of packages to compile, and of their modules. Only for the percentage. */
const PACKAGES = 1297;
const MODULES = 160;

/** The largest packages and the linker print nothing for a minute or two on a slow machine. */
const STALL_MS = 10 * MINUTE;

export interface BuildOptions {
  env: Environment;
  signal: AbortSignal;
  report: ReportStep;
}

/**
 * Builds Temporal's CLI with `go install` from the Go module proxy; Go verifies the checksums. The first build takes about
 * 3½ minutes on two cores.
 * @param folder an empty folder of ours; also holds Go's work files
 * @returns the binary's path inside `folder`
 * @throws Error with the last lines of Go's output; not retried
 */
export async function buildFromSource(folder: string, options: BuildOptions): Promise<string> {
  const { env, report } = options;
  const go = await findOnPath('go', env);
  if (go === undefined) throw new Error(`no go ${OLDEST_GO_VERSION} or newer on PATH`);

  const work = join(folder, 'work');
  await mkdir(work);
  const guard = stallGuard(STALL_MS);
  const progress = trackGo(report);
  const repeat = setInterval(progress.repeat, SECOND);
  try {
    await runCommand(go, ['install', '-v', `-ldflags=${LINKER_FLAGS}`, `${MAIN_PACKAGE}@v${CLI_VERSION}`], {
      env: { ...fetchingEnvironment(env), ...OWN_SETTINGS, GOBIN: folder, GOTMPDIR: work },
      signal: AbortSignal.any([options.signal, guard.signal]),
      onLine: (line) => {
        guard.touch();
        progress.read(line);
      },
    });
  } finally {
    clearInterval(repeat);
    guard.release();
  }
  return join(folder, 'temporal');
}

/** The flags of Temporal's own releases: no debug tables, and the version in the binary. */
const LINKER_FLAGS = `-s -w -X ${MODULE}/temporalcli.Version=${CLI_VERSION}`;

/** No C compiler is needed, and the user's build flags don't apply. GOTOOLCHAIN stays as the user set it. */
const OWN_SETTINGS = {
  CGO_ENABLED: '0',
  GO111MODULE: 'on',
  GOFLAGS: '-buildvcs=false',
  GOOS: '',
  GOARCH: '',
};

/** Turns the output of `go install -v` into progress: `go: downloading <module> <version>`, then one package per line. */
function trackGo(report: ReportStep): { read: (line: string) => void; repeat: () => void } {
  let modules = 0;
  let packages = 0;
  let linking = false;
  const repeat = (): void => {
    if (linking) report(BINARY_PHASE.compile, 'linking the Temporal server', 0.99);
    else if (packages > 0) {
      const done = `${packages} of about ${PACKAGES} packages`;
      report(BINARY_PHASE.compile, `compiling the Temporal server: ${done}`, shareOf(packages, PACKAGES));
    } else if (modules > 0) {
      const done = `${modules} of about ${MODULES} modules`;
      report(BINARY_PHASE.download, `downloading the sources: ${done}`, shareOf(modules, MODULES));
    } else report(BINARY_PHASE.download, 'asking Go for the sources of the Temporal server');
  };
  const read = (line: string): void => {
    if (line.startsWith('go: downloading ')) modules++;
    else if (/^[\w./-]+$/.test(line)) packages++;
    if (line === MAIN_PACKAGE) linking = true;
  };
  repeat();
  return { read, repeat };
}

function shareOf(done: number, all: number): number {
  return Math.min(done / all, 0.99);
}
