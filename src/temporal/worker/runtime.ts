import { Runtime, type Logger, type LogMetadata } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';

/**
 * Sends the SDK's own log lines, native ones included, to our logger, and leaves signals to the process: without this
 * the SDK would stop its workers on SIGINT by itself, out of order. Once per process, before any worker connection.
 * @param metrics where the SDK's native part is to tell its own metrics; nowhere by default
 */
export function installRuntime(logger: PinoLogger, metrics?: { host: string; port: number }): void {
  const child = logger.child({ part: 'temporal-sdk' });
  Runtime.install({
    logger: sdkLogger(child),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: 'WARN', forward: {} },
      // Names and units are left as Temporal's own dashboards for SDKs in TypeScript expect them.
      ...(metrics && { metrics: { prometheus: { bindAddress: `${metrics.host}:${metrics.port}` } } }),
    },
  });
}

function sdkLogger(logger: PinoLogger): Logger {
  // The SDK traces each step of each workflow: what nobody is to see is not made ready to be seen.
  const tell = (level: 'trace' | 'debug' | 'warn' | 'error', message: string, meta?: LogMetadata): void => {
    if (logger.isLevelEnabled(level)) logger[level](plain(meta), message);
  };
  const sdk: Logger = {
    log(level, message, meta) {
      sdk[level.toLowerCase() as Lowercase<typeof level>](message, meta);
    },
    trace: (message, meta) => tell('trace', message, meta),
    // What the SDK calls info (state changes of a worker) is of interest to who debugs keepapart, not to who runs it.
    debug: (message, meta) => tell('trace', message, meta),
    info: (message, meta) => tell('debug', message, meta),
    warn: (message, meta) => tell(isExpected(message) ? 'debug' : 'warn', message, meta),
    error: (message, meta) => tell('error', message, meta),
  };
  return sdk;
}

/** Warnings of the SDK about what is daily business here. */
const EXPECTED_WARNINGS = [
  // A failed attempt of a save is retried, and the outcome tells; Temporal keeps the error.
  'Activity failed',
  // The worker that adopts has none.
  'No workflows registered, not polling for workflow tasks',
  // A memo of more than 2 KiB, which every child with many batches has, below the server's limit of 32.
  '[TMPRL1103] Attempted to upload memo',
];

function isExpected(message: string): boolean {
  return EXPECTED_WARNINGS.some((expected) => message.startsWith(expected));
}

/** Big integers (timestamps) are not for JSON. */
function plain(meta: LogMetadata | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(meta ?? {}).map(([key, value]) => [
      key,
      typeof value === 'bigint' ? String(value) : (value as unknown),
    ]),
  );
}
