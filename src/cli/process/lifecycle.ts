import type { Logger } from 'pino';

/** What a process has started, and how it ends: in the reverse order of starting, each thing once. */
export interface Lifecycle {
  /** Aborted as soon as the process is to stop; what is still starting gives up then. */
  readonly signal: AbortSignal;
  /** Registers how to stop something that runs now. Called at once when the process is stopping already. */
  onStop(name: string, stop: () => Promise<void>): void;
  /** Asks the process to stop because something that it can't do without has ended. The first call counts. */
  fail(error: unknown): void;
  /** Resolves when a stop was asked for; rejects with the error when something failed. */
  readonly stopRequested: Promise<void>;
  /** Stops everything. What can't be stopped is logged and doesn't keep the rest from stopping. */
  stopAll(): Promise<void>;
}

/** Starts and ends the parts of the process. */
export interface StoppableLifecycle extends Lifecycle {
  requestStop(): void;
}

export function createLifecycle(logger: Logger): StoppableLifecycle {
  const stops: { name: string; stop: () => Promise<void> }[] = [];
  const controller = new AbortController();
  let stopping = false;
  let settle: { resolve: () => void; reject: (error: unknown) => void };
  const stopRequested = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Nobody may be waiting yet when something fails during the start.
  stopRequested.catch(() => undefined);

  async function stopOne({ name, stop }: { name: string; stop: () => Promise<void> }): Promise<void> {
    logger.debug(`stopping ${name}`);
    try {
      await stop();
    } catch (error) {
      logger.error({ err: error }, `${name} did not shut down gracefully`);
    }
  }

  return {
    signal: controller.signal,
    stopRequested,
    onStop(name, stop) {
      if (stopping) void stopOne({ name, stop });
      else stops.push({ name, stop });
    },
    requestStop() {
      controller.abort(new Error('stopped before it had started'));
      settle.resolve();
    },
    fail(error) {
      settle.reject(error);
      controller.abort(error);
    },
    async stopAll() {
      stopping = true;
      controller.abort();
      for (const entry of stops.splice(0).reverse()) await stopOne(entry);
    },
  };
}
