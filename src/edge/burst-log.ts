import { SECOND } from '../domain/duration';

const WINDOW_MS = 10 * SECOND;

/**
 * Limits reports of something that may happen thousands of times a second: the first time is reported at once, and then at
 * most once in ten seconds while it continues.
 * @param report receives the number of times since the last report
 */
export function oncePerBurst(report: (times: number) => void): () => void {
  let times = 0;
  let window: NodeJS.Timeout | undefined;

  function reportTimes(): void {
    window = undefined;
    if (times === 0) return;
    report(times);
    times = 0;
    window = setTimeout(reportTimes, WINDOW_MS).unref();
  }

  return () => {
    times++;
    if (window === undefined) reportTimes();
  };
}
