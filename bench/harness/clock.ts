/** Milliseconds of the machine's monotonic clock, the same in every process; profiles of V8 have it too. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
