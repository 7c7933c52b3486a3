import path from 'node:path';

/**
 * Options of Node: with `BENCH_PROFILE=<folder>` a process writes the CPU profiles of its threads into
 * `<folder>/<role>` when it exits.
 */
export function profiling(role: string): string[] {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(folder, role)}`];
}
