import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What an attack or a soak has to do whatever happens, the last thing first; each once. */
export interface AtEnd {
  add: (clean: () => Promise<void>) => void;
  run: () => Promise<void>;
}

function createAtEnd(): AtEnd {
  const cleanups: (() => Promise<void>)[] = [];
  return {
    add: (clean) => void cleanups.push(clean),
    async run() {
      for (const clean of cleanups.splice(0).reverse()) {
        await clean().catch((error: unknown) => console.error('could not clean up:', error));
      }
    },
  };
}

/**
 * The options that a command was called with.
 * @returns the exit code instead where there is nothing to run: 0 after the help, 2 for a wrong call
 */
export function optionsOf<Options extends { help: boolean }>(
  help: string,
  parse: () => { values: Options },
): Options | number {
  try {
    const { values } = parse();
    if (!values.help) return values;
    console.log(help);
    return 0;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return 2;
  }
}

export interface RunOptions<Report> {
  /** Used and left to the caller; without it a temporary folder, which is removed. */
  folder?: string | undefined;
  /** Keeps the temporary folder of a run that failed. */
  keep: boolean;
  /** Takes the report as JSON. */
  reportFile?: string | undefined;
  run: (folder: string, atEnd: AtEnd['add']) => Promise<Report>;
  render: (report: Report) => string;
}

/**
 * Runs it in a folder, and leaves nothing behind: on its end, its failure, and when it is interrupted.
 * @returns the exit code: 0 when the report is clean, 1 otherwise
 */
export async function runInFolder<Report extends { clean: boolean }>(
  options: RunOptions<Report>,
): Promise<number> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'keepapart-attack-'));
  const atEnd = createAtEnd();
  let code = 1;
  atEnd.add(() => {
    if (options.folder !== undefined) return Promise.resolve();
    if (code !== 0 && options.keep) console.error(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
    return Promise.resolve();
  });
  // `disconnect`: who started us has died.
  for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) {
    process.once(event, () => void atEnd.run().then(() => process.exit(130)));
  }
  try {
    const report = await options.run(folder, atEnd.add);
    console.log(options.render(report));
    if (options.reportFile !== undefined) writeFileSync(options.reportFile, JSON.stringify(report, null, 2));
    code = report.clean ? 0 : 1;
  } catch (error) {
    console.error(error);
  }
  await atEnd.run();
  return code;
}
