import { KeepapartError, type ErrorCode } from '../domain/errors';
import { MAX_BODY_DEPTH } from '../edge/records';
import { createJsonExtent, type JsonExtent } from './json-extent';

/** What a client has sent. */
export type Message =
  /** A list, from bracket to bracket or, after a mistake, to where it was given up: for a parser to judge. */
  | { kind: 'list'; bytes: Uint8Array }
  | { kind: 'exit' }
  /** Anything else; after `wrong-protocol` nothing that follows means anything. */
  | { kind: 'mistake'; error: KeepapartError };

/** Finds the messages of one connection in its bytes. */
export interface MessageReader {
  /** What is complete with this piece, in order. */
  read(bytes: Uint8Array): Message[];
  /** Whether a message has begun whose end hasn't come. */
  isMidway(): boolean;
  /** Whether that message is a mistake, whatever comes: all that it still needs is its end. */
  isHopeless(): boolean;
  /** That message as it stands, which ends here: what comes from now on is the next one. */
  giveUp(): Message;
}

/** Where the reader is, and what it waits for. */
type State =
  /** Nothing has begun: the first byte of a message. */
  | 'between'
  /** A quote was opened: the list or the word inside. */
  | 'opened'
  /** Inside a list or an object: the bracket that closes it. */
  | 'inside'
  /** Inside a byte order mark, which some programs put in front of UTF-8: its next byte. */
  | 'mark'
  /** Inside the word `exit`: its next letter. */
  | 'word'
  /** Behind a list in quotes or the word: the closing quote on the same line, or what ends a word without quotes. */
  | 'closing'
  /** After a mistake: the end of the line, or of what has come so far. */
  | 'skipping';

const EXIT = Buffer.from('exit');
const MARK = Buffer.from('\uFEFF');
const NEWLINE = 0x0a;
const QUOTES = new Set(Buffer.from(`'"`));
const BRACKETS = new Set(Buffer.from('[{'));
const LIST = 0x5b;
const BLANKS = new Set(Buffer.from(' \t'));
/** What may stand between messages: also the NUL that ends a string in C, and that some programs send along. */
const SEPARATORS = new Set(Buffer.from(' \t\r\n\0'));

/** How HTTP requests and TLS connections begin. */
const OTHER_PROTOCOL = /^(?:(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PRI) |[Hh]ost:|\x16\x03)/;
const LONGEST_BEGINNING = 8;

const EXPECTED = 'A message is a JSON list of records such as [1,2,3], also in quotes, or the word exit';

/**
 * Splits bytes that nobody has framed: a list may come in many pieces, and many lists in one. Lists end where their
 * brackets close, wherever the pieces were cut, also those with a mistake in them: whoever reads gives them up if that
 * end doesn't come soon. After a mistake outside of brackets the rest of its line is dropped, or the rest of what has
 * come so far: it belongs to the mistake, which has one answer.
 *
 * `maxBytes` bounds a list, and with it what is kept of one that isn't complete.
 */
export function createMessageReader({ maxBytes }: { maxBytes: number }): MessageReader {
  let state: State = 'between';
  /** What the message under way is wrapped in. */
  let quote: number | undefined;
  /** The list or object under way; none for a word. */
  let extent: JsonExtent | undefined;
  let isList = false;
  let letters = 0;
  let messages: Message[] = [];

  function complete(message: Message): void {
    messages.push(message);
    state = 'between';
  }

  /** A mistake whose end can't be told; returns the index of the byte that showed it. */
  function fail(at: number, detail = EXPECTED, code: ErrorCode = 'invalid-json'): number {
    complete(mistake(code, detail));
    state = 'skipping';
    return at;
  }

  function begin(bytes: Uint8Array, at: number, byte: number): number {
    if (BRACKETS.has(byte)) {
      extent = createJsonExtent({ maxBytes, maxDepth: MAX_BODY_DEPTH });
      isList = byte === LIST;
      state = 'inside';
      return at;
    }
    if (byte === EXIT[0]) {
      letters = 0;
      state = 'word';
      return at;
    }
    if (state === 'between' && QUOTES.has(byte)) {
      quote = byte;
      state = 'opened';
      return at + 1;
    }
    // A web page can have a browser send any text to this port: no list in it may be taken.
    if (isOtherProtocol(bytes, at))
      return fail(at, 'This port speaks neither HTTP nor TLS; HTTP is at HTTP_PORT', 'wrong-protocol');
    return fail(at);
  }

  /** The message whose end has come: what follows is one of its own, whatever this one is. */
  function whole(): Message {
    if (extent === undefined) return { kind: 'exit' };
    if (!isList) return mistake('invalid-request', EXPECTED);
    const bytes = extent.content();
    if (bytes !== undefined) return { kind: 'list', bytes };
    return mistake('request-too-large', `The list is larger than ${maxBytes} bytes`);
  }

  /** Takes what can be taken at once from index `at` on; returns the index after that. */
  function step(bytes: Uint8Array, at: number): number {
    const byte = bytes[at] ?? NEWLINE;
    switch (state) {
      case 'between':
        quote = undefined;
        extent = undefined;
        letters = 0;
        if (byte === MARK[0]) {
          state = 'mark';
          return at;
        }
        return SEPARATORS.has(byte) ? at + 1 : begin(bytes, at, byte);
      case 'mark':
        if (byte !== MARK[letters]) return fail(at);
        letters++;
        if (letters === MARK.length) state = 'between';
        return at + 1;
      case 'opened':
        return BLANKS.has(byte) ? at + 1 : begin(bytes, at, byte);
      case 'inside': {
        const after = extent?.take(bytes, at) ?? at;
        if (extent?.isClosed() === true) {
          if (quote === undefined) complete(whole());
          else state = 'closing';
        }
        return after;
      }
      case 'word':
        if (byte !== EXIT[letters]) return fail(at);
        letters++;
        if (letters === EXIT.length) state = 'closing';
        return at + 1;
      case 'closing':
        if (quote === undefined ? SEPARATORS.has(byte) : byte === quote) complete(whole());
        else if (quote === undefined) return fail(at);
        else if (!BLANKS.has(byte)) return fail(at, 'The quote before the list is not closed behind it');
        return at + 1;
      case 'skipping':
        if (byte === NEWLINE) state = 'between';
        return at + 1;
    }
  }

  return {
    read(bytes) {
      messages = [];
      for (let at = 0; at < bytes.length;) at = step(bytes, at);
      if (state === 'closing' && quote === undefined) complete(whole());
      if (state === 'skipping') state = 'between';
      return messages;
    },
    isMidway: () => state !== 'between',
    isHopeless: () => state !== 'between' && extent?.isHopeless() === true,
    giveUp() {
      state = 'between';
      return whole();
    },
  };
}

function mistake(code: ErrorCode, detail: string): Message {
  return { kind: 'mistake', error: new KeepapartError(code, detail) };
}

function isOtherProtocol(bytes: Uint8Array, at: number): boolean {
  const beginning = Buffer.from(bytes.subarray(at, at + LONGEST_BEGINNING)).toString('latin1');
  return OTHER_PROTOCOL.test(beginning);
}
