import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';
import { createLineTracker, type LineTracker } from './line-tracker';
import type { SourceLines } from './source-lines';
import { unreadable } from './unreadable';

const EXPECTED = 'a list of records in JSON';

/**
 * The records of a JSON list that comes in pieces, each as its own JSON text on a line: numbers, and keys that occur
 * twice, as they stand there. Takes as much memory as the largest record. Throws `import-unreadable` at the first place
 * that isn't JSON, when the records before it have been given.
 */
export async function* linesOfJsonList(
  bytes: AsyncIterable<Uint8Array>,
  lines: SourceLines,
): AsyncGenerator<string> {
  const tracker = createLineTracker();
  const cutter = createCutter(tracker, lines);
  for await (const chunk of bytes) {
    tracker.push(chunk);
    const failure = cutter.write(chunk);
    yield* cutter.gathered();
    if (failure) {
      tracker.advance(failure.offset);
      throw unreadable(`line ${tracker.line()}`, EXPECTED, failure.received, failure.cause);
    }
  }
  tracker.advance();
  if (!cutter.isWhole())
    throw unreadable(`line ${tracker.line()}`, 'the end of the list', 'the end of the file');
}

interface Failure {
  /** In bytes from the start, at the place itself or, where that isn't known, at the last token before it. */
  offset: number;
  received: string;
  cause: unknown;
}

/** Puts the texts of a list's members together again from their tokens. */
function createCutter(tracker: LineTracker, lines: SourceLines) {
  const tokenizer = new NumberKeepingTokenizer();
  // Only judges the grammar; the values that it builds are dropped at once.
  const grammar = new TokenParser({ paths: ['$.*'], keepStack: false });
  grammar.onValue = () => undefined;
  let depth = 0;
  let begun = false;
  let record = '';
  let records = '';
  let firstLine = 1;
  let lastOffset = 0;
  /** Of the byte at this offset. */
  const lineOf = (offset: number): number => {
    tracker.advance(offset);
    return tracker.line();
  };

  tokenizer.onToken = ({ token, value, offset }) => {
    lastOffset = offset;
    if (!begun && token !== TokenType.LEFT_BRACKET) throw new Error(`Unexpected ${JSON.stringify(value)}`);
    begun = true;
    grammar.write({ token, value });
    if (token === TokenType.RIGHT_BRACKET || token === TokenType.RIGHT_BRACE) depth--;
    const isOfRecord = depth > 1 || (depth === 1 && token !== TokenType.COMMA);
    if (!isOfRecord) tracker.advance(offset);
    else if (record === '') firstLine = lineOf(offset);
    if (isOfRecord) record += token === TokenType.NUMBER ? tokenizer.numberText : textOf(token, value);
    if (token === TokenType.LEFT_BRACKET || token === TokenType.LEFT_BRACE) depth++;
    if (isOfRecord && depth === 1) {
      records += `${record}\n`;
      lines.add({ first: firstLine, last: lineOf(offset) });
      record = '';
    }
  };

  return {
    write(chunk: Uint8Array): Failure | undefined {
      try {
        tokenizer.write(chunk);
        return undefined;
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        const position = /absolute position "(\d+)"/.exec(message)?.[1];
        const received = message
          .replace(/ (at chunk position|in state) .*$/s, '')
          .replace(/^Unexpected [A-Z_]+ \((.*)\)$/s, 'Unexpected $1');
        return { offset: position === undefined ? lastOffset : Number(position), received, cause };
      }
    },
    /** The records that have become whole since this was last asked, as one piece; none for none. */
    gathered(): string[] {
      const gathered = records === '' ? [] : [records];
      records = '';
      return gathered;
    },
    isWhole(): boolean {
      try {
        tokenizer.end();
        return begun && depth === 0;
      } catch {
        return false;
      }
    },
  };
}

/** Keeps a number's own text: the API is to judge it, and not a float that it was rounded to. */
class NumberKeepingTokenizer extends Tokenizer {
  numberText = '';

  protected override parseNumber(text: string): number {
    this.numberText = text;
    return super.parseNumber(text);
  }
}

/** A token as it stands in JSON; punctuation and words are their own text. */
function textOf(token: TokenType, value: string | number | boolean | null | undefined): string {
  return token === TokenType.STRING ? JSON.stringify(value) : String(value);
}
