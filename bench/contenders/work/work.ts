/** A record of the bench: who it is, and the value that conflicts are told by. */
export interface BenchRecord {
  id: number;
  v: number;
}

/** What every contender has to do with the records, whatever it is built on. */
export interface Work {
  /** Where the batch files appear. */
  outDir: string;
  /** Where a saved record stands until its batch has its file. On the same file system. */
  stagingDir: string;
  maxBatchSize: number;
  /** Values that may not share a batch. */
  apart: readonly [number, number];
  maxAttempts: number;
  retryIntervalMs: number;
  /** Share of save attempts that fail. */
  failureRate: number;
  /** Where the contender's server is: whatever its programs need to reach it. */
  server: string;
  /** Free for contenders that come in several kinds. */
  kind: string;
}

/** How a record ended: a line of a batch file. */
export interface BenchOutcome {
  recordId: string;
  value: BenchRecord;
  outcome: 'saved' | 'rolled_back';
  attempts: number;
  error: string | null;
  at: string;
}

/** Records from this id on only warm a contender up: they don't count, and their saves don't fail. */
export const WARM_UP_FROM = 1_000_000_000;

const ENVIRONMENT = 'BENCH_WORK';

/** The environment that tells a contender's program its work. */
export function workEnvironment(work: Work): NodeJS.ProcessEnv {
  return { [ENVIRONMENT]: JSON.stringify(work) };
}

/** The work, from the environment. @throws SyntaxError outside of the bench */
export function readWork(): Work {
  return JSON.parse(process.env[ENVIRONMENT] ?? '') as Work;
}

/** @returns `share` of the records carry one of the two values that are kept apart, half of them each, evenly spread */
export function benchRecord(id: number, share: number, apart: readonly [number, number]): BenchRecord {
  const chosen = Math.floor((id + 1) * share) > Math.floor(id * share);
  if (!chosen) return { id, v: id + 1000 };
  return { id, v: apart[Math.floor(id * share) % 2] ?? apart[0] };
}

/**
 * Whether an attempt (from 1) to save a record fails: by a hash of both, so that all contenders meet the same failures.
 * `celery/work.py` has the same function.
 */
export function fails(id: number, attempt: number, rate: number): boolean {
  if (id >= WARM_UP_FROM) return false;
  let hash = Math.imul(id, 0x9e3779b1) ^ Math.imul(attempt, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < rate;
}

/** How a record has to end, with failures as {@link fails} has them. */
export function expectedOutcome(
  id: number,
  { failureRate, maxAttempts }: Pick<Work, 'failureRate' | 'maxAttempts'>,
): Pick<BenchOutcome, 'outcome' | 'attempts'> {
  for (let attempts = 1; attempts <= maxAttempts; attempts++)
    if (!fails(id, attempts, failureRate)) return { outcome: 'saved', attempts };
  return { outcome: 'rolled_back', attempts: maxAttempts };
}

/** A line's content for a record that has come to its end. */
export function benchOutcome(
  value: BenchRecord,
  { attempts, error }: { attempts: number; error?: string | undefined },
): BenchOutcome {
  const at = new Date().toISOString();
  const outcome = error === undefined ? 'saved' : 'rolled_back';
  return { recordId: `r:${value.id}`, value, outcome, attempts, error: error ?? null, at };
}
