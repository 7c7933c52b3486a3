import { SECOND } from '../domain/duration';

const WINDOW_MS = 10 * SECOND;

/**
 * Reports something that may happen thousands of times a second: its first time at once, and then, as long as it goes on,
 * once in ten seconds.
 * @param report gets how often it happened since the last report
 */
export function oncePerBurst(report: (times: number) => void): () => void {
  let times = 0;
  let window: NodeJS.Timeout | undefined;

  function tell(): void {
    window = undefined;
    if (times === 0) return;
    report(times);
    times = 0;
    window = setTimeout(tell, WINDOW_MS).unref();
  }

  return () => {
    times++;
    if (window === undefined) tell();
  };
}
