import pino from 'pino';
import type { Log } from '../contracts/log';

/** Warnings and errors as lines of JSON on standard error, for an app that passes no logger. */
export function defaultLog(): Log {
  return pino({ level: 'warn', name: 'keepapart' }, pino.destination({ fd: 2, sync: true }));
}
