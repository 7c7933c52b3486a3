import { KeepapartError, type ErrorCode } from '../domain/errors';
import { MAX_BODY_DEPTH } from '../edge/records';
import { createJsonExtent, type JsonExtent } from './json-extent';

/** What a client has sent. */
export type Message =
  /** A list, from bracket to bracket or, after a mistake, up to where it was given up; a parser has to judge it. */
  | { kind: 'list'; bytes: Uint8Array }
  | { kind: 'exit' }
  /** Anything else. After `wrong-protocol`, the rest of the connection is meaningless. */
  | { kind: 'mistake'; error: KeepapartError };

/** Finds the messages in the bytes of one connection. */
export interface MessageReader {
  /** The messages that are complete with these bytes, in order. */
  read(bytes: Uint8Array): Message[];
  /** Whether a message has begun and not ended. */
  isMidway(): boolean;
  /** Whether that message is certainly a mistake, whatever follows; only its end is missing. */
  isHopeless(): boolean;
  /** Ends that message here and returns it; the next byte begins a new message. */
  giveUp(): Message;
}

/** Where the reader is, and what it expects. */
type State =
  /** Between messages: the first byte of a message. */
  | 'between'
  /** After an opening quote: the list or the word. */
  | 'opened'
  /** In a list or an object: the bracket that closes it. */
  | 'inside'
  /** In a byte order mark, which some programs send before UTF-8: its next byte. */
  | 'mark'
  /** In the word `exit`: its next letter. */
  | 'word'
  /** After a quoted list or the word: the closing quote on the same line, or whatever ends an unquoted word. */
  | 'closing'
  /** After a mistake: the end of the line, or of the bytes received so far. */
  | 'skipping';

const EXIT = Buffer.from('exit');
const MARK = Buffer.from('\uFEFF');
const NEWLINE = 0x0a;
const QUOTES = new Set(Buffer.from(`'"`));
const BRACKETS = new Set(Buffer.from('[{'));
const LIST = 0x5b;
const BLANKS = new Set(Buffer.from(' \t'));
/** Separators between messages, including the NUL at the end of a C string, which some programs send. */
const SEPARATORS = new Set(Buffer.from(' \t\r\n\0'));

/** How HTTP requests and TLS connections begin. */
const OTHER_PROTOCOL = /^(?:(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PRI) |[Hh]ost:|\x16\x03)/;
const LONGEST_BEGINNING = 8;

const EXPECTED = 'A message is a JSON list of records such as [1,2,3], also in quotes, or the word exit';

/**
 * Splits a byte stream without framing into messages: a list may arrive in many pieces, and many lists in one. A list ends
 * where its brackets close, regardless of how the bytes were split, even if it contains a mistake; the caller gives such
 * a list up if its end doesn't arrive soon. After a mistake outside brackets, the rest of its line, or of the bytes received
 * so far, is dropped: it belongs to the mistake, which gets one answer.
 * @param options `maxBytes` bounds a list, and so what is kept of an incomplete one
 */
export function createMessageReader({ maxBytes }: { maxBytes: number }): MessageReader {
  let state: State = 'between';
  /** The quote around the current message. */
  let quote: number | undefined;
  /** The current list or object; none for a word. */
  let extent: JsonExtent | undefined;
  let isList = false;
  let letters = 0;
  let messages: Message[] = [];

  function complete(message: Message): void {
    messages.push(message);
    state = 'between';
  }

  /** Reports a mistake whose end is unknown; returns the index of the byte that revealed it. */
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
    // A web page can make a browser send any text to this port, and no list in it may be accepted.
    if (isOtherProtocol(bytes, at))
      return fail(at, 'This port speaks neither HTTP nor TLS; HTTP is at HTTP_PORT', 'wrong-protocol');
    return fail(at);
  }

  /** The message that has ended; what follows is a new message, whatever this one is. */
  function whole(): Message {
    if (extent === undefined) return { kind: 'exit' };
    if (!isList) return mistake('invalid-request', EXPECTED);
    const bytes = extent.content();
    if (bytes !== undefined) return { kind: 'list', bytes };
    return mistake('request-too-large', `The list is larger than ${maxBytes} bytes`);
  }

  /** Processes what it can at once, from index `at` on; returns the index after that. */
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
