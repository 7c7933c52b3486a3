import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import globalSetup from '../helpers/global-setup';
import globalTeardown from '../helpers/global-teardown';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { CASE_NAMES, shortcomings, versionOf, type CaseName } from './cases';
import { HISTORIES, currentVersion } from './corpus';
import type { Scenario } from './scenario';
import { SCENARIOS } from './scenarios';
import { historyToText } from './history-json';
import { tellHistory } from './tell-history';

/** How many scenarios run side by side: each waits for its server most of the time. */
const AT_ONCE = 6;

/**
 * Records the histories of the current version that are missing, each by a real run on a real server. Those that exist
 * stay as they are, unless `force` says that no release has them yet; those of other versions are never touched.
 * @throws Error when there is nothing to record, and when a run didn't show what its case is for
 */
export async function recordHistories({ force }: { force: boolean }): Promise<void> {
  const wanted = SCENARIOS.filter(({ cases }) => force || cases.some((name) => !existsSync(fileOf(name))));
  if (wanted.length === 0) {
    throw new Error(
      `All ${CASE_NAMES.length} histories of ${currentVersion()} are there. They show what later code has to replay: ` +
        'record them anew, with --force, only while this version is not released.',
    );
  }
  await globalSetup();
  try {
    const waiting = [...wanted];
    const failures: string[] = [];
    const recordOthers = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { cases } = next;
        await recordScenario(next, force).catch((error: unknown) => {
          failures.push(`${cases.join(', ')}: ${error instanceof Error ? error.message : String(error)}`);
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, recordOthers));
    if (failures.length > 0) throw new Error(failures.join('\n'));
  } finally {
    await globalTeardown();
  }
}

async function recordScenario({ cases, record }: Scenario, force: boolean): Promise<void> {
  const pipelines: TestPipeline[] = [];
  try {
    const recorded = await record(async (options) => {
      const pipeline = await startPipeline(options);
      pipelines.push(pipeline);
      return pipeline;
    });
    for (const name of cases) {
      const history = recorded[name];
      if (history === undefined) throw new Error(`the run recorded no ${name}`);
      const wrong = shortcomings(name, tellHistory(history));
      if (wrong.length > 0) throw new Error(`${name} ${wrong.join('; ')}`);
      if (force || !existsSync(fileOf(name))) write(name, historyToText(history));
    }
  } finally {
    for (const pipeline of pipelines) await pipeline.close();
  }
}

function write(name: CaseName, text: string): void {
  for (const trace of [`@${hostname()}`, path.resolve(__dirname, '../..')]) {
    if (text.includes(trace)) throw new Error(`${name} names this machine: ${trace}`);
  }
  mkdirSync(HISTORIES, { recursive: true });
  writeFileSync(fileOf(name), text);
  console.error(`${path.basename(fileOf(name))}: ${text.length} bytes`);
}

function fileOf(name: CaseName): string {
  return path.join(HISTORIES, `${versionOf(name, currentVersion())}-${name}.json`);
}
