import type { Logger } from 'pino';
import { HOUR } from '../../domain/duration';
import { createLifecycle, type StoppableLifecycle } from './lifecycle';
import { reportFailure } from './report-failure';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs something until it fails or a signal stops it, then stops everything in order. A second signal doesn't wait.
 * @returns the exit code: 0 after a signal, 1 or 2 after a failure
 */
export async function runUntilStopped(
  logger: Logger,
  start: (lifecycle: StoppableLifecycle) => Promise<void>,
): Promise<number> {
  const lifecycle = createLifecycle(logger);
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals++;
    if (signals > 1) process.exit(130);
    logger.info(`${signal}: shutting down gracefully; press Ctrl-C again to force`);
    lifecycle.requestStop();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  // What a role consists of may be other processes alone, which keep no event loop alive.
  const alive = setInterval(() => undefined, HOUR);
  try {
    const started = start(lifecycle);
    // A start that is interrupted may still reject when nobody waits for it any more.
    started.catch(() => undefined);
    await Promise.race([started, lifecycle.stopRequested]);
    await lifecycle.stopRequested;
    return 0;
  } catch (error) {
    return reportFailure(error);
  } finally {
    await lifecycle.stopAll();
    clearInterval(alive);
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  }
}
