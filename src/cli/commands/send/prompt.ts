import type { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { JsonValue } from '../../../domain/json';
import { isKeepapartError } from '../../../domain/errors';
import { isClientError, tellClientError } from '../../process/client-errors';
import { parseList } from './read-lists';

interface Prompt {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  /** Sends one list and says what came of it. */
  send: (values: JsonValue[], signal: AbortSignal) => Promise<unknown>;
}

const PROMPT = 'keepapart> ';
const HELP = 'A JSON list on each line, such as [1,2,3]; exit or Ctrl-D ends, arrow up brings lines back.\n';

/**
 * Asks for one list after another until `exit`, Ctrl-D or Ctrl-C. A line that is no list, or a list that is refused, gets
 * an error, and the prompt stays.
 */
export async function promptForLists({ input, output, send }: Prompt): Promise<void> {
  const controller = new AbortController();
  const lines = createInterface({ input, output, prompt: PROMPT });
  lines.once('SIGINT', () => {
    // Whoever leaves so doesn't wait for an answer any more.
    controller.abort();
    lines.close();
  });
  const isLeft = () => controller.signal.aborted;
  const isClosed = whetherEmitted(lines, 'close');
  output.write(HELP);
  lines.prompt();
  // What was typed before the end is still given after it.
  for await (const line of lines) {
    if (isLeft()) break;
    const text = withoutQuotes(line.trim());
    if (text === 'exit') {
      lines.close();
      return;
    }
    try {
      if (text !== '') await send(parseList(text, 'the list'), controller.signal);
    } catch (error) {
      if (isLeft()) break;
      output.write(`${tell(error)}\n`);
    }
    if (!isClosed()) lines.prompt();
  }
  lines.close();
  // Behind the prompt that nothing was typed at.
  output.write('\n');
}

/** Tells from now on whether an event has come. */
function whetherEmitted(emitter: EventEmitter, event: string): () => boolean {
  let emitted = false;
  emitter.once(event, () => (emitted = true));
  return () => emitted;
}

/** Whoever is used to a shell quotes lists here too. */
function withoutQuotes(text: string): string {
  return /^(['"])(?<list>.*)\1$/.exec(text)?.groups?.['list'] ?? text;
}

function tell(error: unknown): string {
  if (isKeepapartError(error)) return `${error.message} [${error.code}]`;
  if (isClientError(error)) return tellClientError(error);
  throw error;
}
