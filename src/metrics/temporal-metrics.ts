import { SECOND } from '../domain/duration';

const TIMEOUT_MS = 0.5 * SECOND;

/**
 * Temporal's own metrics, which the native part of its SDK exposes on a port of this machine; empty if it doesn't answer
 * within half a second. Names and units are Temporal's: `temporal_…`, latencies in milliseconds, counters without a suffix.
 */
export async function temporalMetrics({ host, port }: { host: string; port: number }): Promise<string> {
  try {
    const response = await fetch(`http://${host}:${port}/metrics`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return response.ok ? await response.text() : '';
  } catch {
    return '';
  }
}
