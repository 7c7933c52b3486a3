import path from 'node:path';

/** Options of Node: with `BENCH_PROFILE=<folder>` a process of ours writes its CPU profiles there when it ends. */
export function profiling(): string[] {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(folder)}`];
}
