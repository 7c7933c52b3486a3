import { isKeepapartError, type ErrorCode } from '../../domain/errors';
import { errorColours } from '../terminal/colours';
import { missingServer } from './missing-server';
import { isClientError, tellClientError } from './client-errors';

/** Exit codes: 2 when the command was wrong and has to be changed, 1 when something failed. */
export const EXIT = { failed: 1, wrong: 2 } as const;

const WRONG_COMMANDS: readonly ErrorCode[] = ['invalid-config', 'history-unreadable', 'nothing-to-replay'];

/** Tells on stderr what went wrong, in one message, and returns the exit code. Only bugs come with a stack trace. */
export function reportFailure(error: unknown): number {
  if (isKeepapartError(error)) {
    process.stderr.write(`${errorColours.red('keepapart:')} ${error.message} [${error.code}]\n`);
    return WRONG_COMMANDS.includes(error.code) ? EXIT.wrong : EXIT.failed;
  }
  if (isClientError(error)) {
    process.stderr.write(`${errorColours.red('keepapart:')} ${tellClientError(error)}\n`);
    return EXIT.failed;
  }
  const missing = missingServer(error);
  if (missing !== undefined) {
    process.stderr.write(`${errorColours.red('keepapart:')} ${missing}\n`);
    return EXIT.failed;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${errorColours.red('keepapart:')} this should not have happened\n${text}\n`);
  return EXIT.failed;
}
