/**
 * What keepapart needs of a logger. Each call gets fields for machines and a message for people, in the order of pino,
 * whose loggers can be passed as they are. An error is in the field `err`. No field holds a record or a key.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
