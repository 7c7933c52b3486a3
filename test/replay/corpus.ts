import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { History } from '@temporalio/common/lib/proto-utils';
import { historyFromText } from '../../src/temporal/replay/recorded-history';
import { recordedRun } from '../../src/temporal/replay/recorded-history';

export const HISTORIES = path.join(__dirname, 'histories');

const ROOT = path.resolve(__dirname, '../..');
const FILE_NAME =
  /^(?<version>\d+\.\d+\.\d+(?:-[0-9a-z.]+)?)-(?<caseName>(?:child|batcher|page)-[a-z-]+)\.json$/;

/** A history as committed: recorded by a real run of `version`, to be replayed by every later one (G8). */
export interface CommittedHistory {
  file: string;
  version: string;
  caseName: string;
  /** The file as it is. */
  text: string;
  history: History;
  workflowId: string;
}

/** Every committed history. @throws Error for a file that isn't named `<version>-<workflow>-<case>.json` */
export function readCorpus(): CommittedHistory[] {
  if (!existsSync(HISTORIES)) return [];
  return readdirSync(HISTORIES)
    .sort()
    .map((file) => {
      const { version, caseName } = FILE_NAME.exec(file)?.groups ?? {};
      if (version === undefined || caseName === undefined)
        throw new Error(`not a name of a history: ${file}`);
      const text = readFileSync(path.join(HISTORIES, file), 'utf8');
      const history = historyFromText(text);
      return { file, version, caseName, text, history, workflowId: recordedRun(history).workflowId };
    });
}

/** The version that is being worked on. */
export function currentVersion(): string {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
