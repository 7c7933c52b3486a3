import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SAMPLES_PER_SECOND = 199;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** A recording of where a Go program spends its CPU time, by `perf`. */
export interface GoRecording {
  /** @returns samples by category; undefined, with the reason on stderr, when `perf` may not record here */
  stop(): Promise<Map<string, number> | undefined>;
}

/**
 * Records Temporal's server, which is one of these processes. Its binary may be stripped: Go's own table of functions stays
 * in it, and a small Go program reads names from there.
 * @returns undefined when none of them is that server, or `perf` or Go isn't installed
 */
export async function recordTemporal(
  pids: readonly number[],
  folder: string,
): Promise<GoRecording | undefined> {
  const usable = await Promise.all([run('perf', ['--version']), run('go', ['version'])]).catch(
    () => undefined,
  );
  const binaries = await Promise.all(
    pids.map((pid) => readlink(`/proc/${pid}/exe`).then((binary) => ({ pid, binary }))),
  );
  const server = binaries.find(({ binary }) => path.basename(binary) === 'temporal');
  if (usable === undefined || server === undefined) return undefined;
  await mkdir(folder, { recursive: true });
  const data = path.join(folder, 'perf.data');
  const options = ['-F', String(SAMPLES_PER_SECOND), '-o', data, '-p', String(server.pid)];
  const perf = spawn('perf', ['record', ...options], { stdio: 'ignore' });
  const ended = once(perf, 'close');
  return {
    async stop() {
      perf.kill('SIGINT');
      await ended;
      try {
        const { stdout } = await run('perf', ['script', '-i', data, '-F', 'ip'], {
          maxBuffer: MAX_OUTPUT_BYTES,
        });
        const addresses = path.join(folder, 'addresses.txt');
        await writeFile(addresses, stdout);
        return byCategory(await functionsAt(server.binary, addresses));
      } catch (error) {
        process.stderr.write(`no profile of Temporal's server: ${(error as Error).message}\n`);
        return undefined;
      }
    },
  };
}

/** One name for each address; none for one outside of the program, in the kernel for the most part. */
async function functionsAt(binary: string, addresses: string): Promise<string[]> {
  const program = path.join(__dirname, 'go-functions/main.go');
  const { stdout } = await run('go', ['run', program, binary, addresses], { maxBuffer: MAX_OUTPUT_BYTES });
  return stdout.split('\n').slice(0, -1);
}

/** In this order; the first that matches counts. */
const CATEGORIES: readonly (readonly [string, RegExp])[] = [
  ['kernel', /^$/],
  ['SQLite', /^modernc\.org\//],
  ['SQL: database/sql, sqlx and the driver', /^(database\/sql|github\.com\/jmoiron\/sqlx)/],
  ['protobuf', /^(google\.golang\.org\/protobuf|github\.com\/gogo\/protobuf|go\.temporal\.io\/api)/],
  ['gRPC and HTTP/2', /^(google\.golang\.org\/grpc|golang\.org\/x\/net|net|internal\/poll|syscall|bufio)\b/],
  [
    'metrics, logs and traces',
    /(tally|prometheus|opentelemetry|go\.uber\.org\/zap|common\/metrics|common\/log)/,
  ],
  [
    'garbage collection and allocation',
    /^runtime\.(gc|scan|grey|mark|sweep|malloc|mcache|mcentral|mheap|mspan|bg|\(\*(mspan|mheap|mcache|mcentral|gcWork|gcBits|sweep|page)|heapBits|wb|bulkBarrier|spanOf|findObject|typePointers|newobject|makeslice|growslice|memclr|next|deductSweep|tryDefer|\(\*lfstack)/,
  ],
  [
    'Go runtime: copying, maps and strings',
    /^(runtime\.(mem|map|str|concat|slice)|internal\/runtime\/maps|strings|bytes)/,
  ],
  ['Go runtime: scheduler and the rest', /^(runtime|internal\/runtime|sync|internal\/sync|time|context)\b/],
  ['JSON and reflection', /^(encoding|reflect|internal\/reflectlite|sort|strconv|unicode)/],
  ['Temporal: history service', /^go\.temporal\.io\/server\/service\/history/],
  ['Temporal: matching service', /^go\.temporal\.io\/server\/service\/matching/],
  ['Temporal: frontend', /^go\.temporal\.io\/server\/service\/frontend/],
  ['Temporal: persistence', /^go\.temporal\.io\/server\/common\/persistence/],
  ['Temporal: common', /^go\.temporal\.io\//],
];

export function byCategory(functions: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of functions) {
    const [category] = CATEGORIES.find(([, pattern]) => pattern.test(name)) ?? ['other'];
    counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  return counts;
}
