import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const LOOK_EVERY_MS = 100;

/** The SHA-256 of each batch file, by name. */
export type Digests = Record<string, string>;

export interface FileWatch {
  /** When each file was first seen, in milliseconds since the epoch, oldest first. */
  readonly seenAtMs: readonly number[];
  /** What each file was when it was first seen. */
  readonly digests: Digests;
  stop(): Promise<void>;
}

/** Watches batch files appear, so that it can be told later when they did and whether anybody has changed them since. */
export function watchFiles(outDir: string): FileWatch {
  const digests: Digests = {};
  const seenAtMs: number[] = [];
  let stopped = false;

  async function look(): Promise<void> {
    for (const name of await readdir(outDir)) {
      if (!name.endsWith('.log') || name in digests) continue;
      const nowMs = Date.now();
      digests[name] = digestOf(await readFile(path.join(outDir, name)));
      seenAtMs.push(nowMs);
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      await look().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    await look();
  }

  const running = run();
  return {
    seenAtMs,
    digests,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

export function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
