import path from 'node:path';

const PRELOAD = path.resolve(__dirname, '../profile/preload.js');

/** The roles whose own code is of interest; the server's is a program that starts another. */
const PROFILED: readonly string[] = ['worker', 'api'];

/**
 * Options of Node: with `BENCH_PROFILE=<folder>` a worker or API writes a CPU profile of each of its threads into
 * `<folder>/<role>` when it ends.
 */
export function profiling(role: string): string[] {
  const folder = process.env['BENCH_PROFILE'];
  if (folder === undefined || !PROFILED.includes(role)) return [];
  return ['--cpu-prof', `--cpu-prof-dir=${path.resolve(folder, role)}`, '-r', PRELOAD];
}
