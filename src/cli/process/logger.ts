import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../../config';

/** Structured logs on stderr: lines of JSON, or readable ones when a person is watching. */
export function createLogger(
  config: Pick<Config, 'logLevel'>,
  { readable = process.stderr.isTTY } = {},
): Logger {
  const options = { level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!readable) return pino(options, pino.destination({ fd: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, colorize: true, translateTime: 'SYS:HH:MM:ss' }));
}
