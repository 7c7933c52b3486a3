import { isNativeError } from 'node:util/types';
import { Runtime, type Logger, type LogMetadata } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';

/**
 * Sends the log lines of the SDK, including native ones, to our logger, and leaves signals to the process: otherwise the
 * SDK would stop its workers on SIGINT by itself, in the wrong order. Call it once per process, before any worker connects.
 * @param metrics address where the native part of the SDK exposes its own metrics; nowhere by default
 */
export function installRuntime(logger: PinoLogger, metrics?: { host: string; port: number }): void {
  const child = logger.child({ part: 'temporal-sdk' });
  Runtime.install({
    logger: sdkLogger(child),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: 'WARN', forward: {} },
      // Names and units stay as Temporal's own dashboards for the TypeScript SDK expect them.
      ...(metrics && { metrics: { prometheus: { bindAddress: `${metrics.host}:${metrics.port}` } } }),
    },
  });
}

function sdkLogger(logger: PinoLogger): Logger {
  // The SDK traces each step of each workflow, so lines that nobody sees are not formatted.
  const write = (level: 'trace' | 'debug' | 'warn' | 'error', message: string, meta?: LogMetadata): void => {
    if (logger.isLevelEnabled(level)) logger[level](plain(meta), message);
  };
  const sdk: Logger = {
    log(level, message, meta) {
      sdk[level.toLowerCase() as Lowercase<typeof level>](message, meta);
    },
    trace: (message, meta) => write('trace', message, meta),
    // The SDK's info level (state changes of a worker) is useful for developers of keepapart, not for operators.
    debug: (message, meta) => write('trace', message, meta),
    info: (message, meta) => write('debug', message, meta),
    warn: (message, meta) => write(isExpected(message) ? 'debug' : 'warn', message, meta),
    error: (message, meta) => write('error', message, meta),
  };
  return sdk;
}

/** Warnings of the SDK about normal operation. */
const EXPECTED_WARNINGS = [
  // A failed attempt to save is retried and counted in the outcome; Temporal keeps the error.
  'Activity failed',
  // The worker for batchers' activities has none.
  'No workflows registered, not polling for workflow tasks',
  // A memo of more than 2 KiB: every child with many batches has one, far below the server's limit of 32 KiB.
  '[TMPRL1103] Attempted to upload memo',
];

function isExpected(message: string): boolean {
  return EXPECTED_WARNINGS.some((expected) => message.startsWith(expected));
}

/** JSON has no big integers, such as timestamps, and nothing of an error's message: pino writes it where it is `err`. */
function plain(meta: LogMetadata | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(meta ?? {}).map(([key, value]: [string, unknown]) => {
      if (typeof value === 'bigint') return [key, String(value)];
      return [isNativeError(value) ? 'err' : key, value];
    }),
  );
}
