import type { Log } from '../contracts/log';

/** Takes what has to be stopped at the end. */
export interface Stops {
  /** Registers how to stop something that is running. */
  onStop(name: string, stop: () => Promise<void>): void;
}

/** {@link Stops} that stop everything in reverse order of starting; failures are logged. */
export function createStops(logger: Log): Stops & { stopAll(): Promise<void> } {
  const stops: { name: string; stop: () => Promise<void> }[] = [];
  return {
    onStop: (name, stop) => void stops.push({ name, stop }),
    async stopAll() {
      for (const { name, stop } of stops.splice(0).reverse())
        await stop().catch((err: unknown) => logger.error({ err }, `${name} could not be stopped`));
    },
  };
}
