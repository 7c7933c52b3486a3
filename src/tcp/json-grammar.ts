/** Checks a list or object byte by byte against the grammar of JSON (RFC 8259). */
export interface JsonGrammar {
  /**
   * Takes the next byte, from the first bracket to the last. Returns false from the first byte after which no further bytes
   * can make it JSON of at most `maxDepth` levels. Doesn't check whether the bytes are UTF-8.
   */
  take(byte: number): boolean;
}

/** A state of the parser: takes a byte and returns the next state, or undefined if the byte is not allowed. */
type Expected = (byte: number) => Expected | undefined;

const code = (char: string) => char.charCodeAt(0);
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const isHexDigit = (byte: number) => isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
const [QUOTE, BACKSLASH, COLON, COMMA] = [code('"'), code('\\'), code(':'), code(',')];
const [MINUS, PLUS, POINT, ZERO, UNICODE] = [code('-'), code('+'), code('.'), code('0'), code('u')];
const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));
/** The rest of each literal, by its first letter. */
const LITERALS = new Map(['true', 'false', 'null'].map((word) => [code(word), Buffer.from(word.slice(1))]));
const LIST = { opening: code('['), closing: code(']') };
const OBJECT = { opening: code('{'), closing: code('}') };

export function createJsonGrammar(maxDepth: number): JsonGrammar {
  /** The brackets that have to close, innermost last. */
  const closings: number[] = [];
  let isKey = false;
  let letters = Buffer.alloc(0);
  let left = 0;
  let expected: Expected | undefined = value;

  function value(byte: number): Expected | undefined {
    if (isSpace(byte)) return value;
    if (byte === QUOTE) return begin(false);
    if (byte === MINUS) return firstDigit;
    if (isDigit(byte)) return firstDigit(byte);
    if (byte === LIST.opening) return open(LIST.closing, listBegun);
    if (byte === OBJECT.opening) return open(OBJECT.closing, objectBegun);
    letters = LITERALS.get(byte) ?? letters;
    left = letters.length;
    return LITERALS.has(byte) ? literal : undefined;
  }

  function open(closing: number, begun: Expected): Expected | undefined {
    closings.push(closing);
    return closings.length <= maxDepth ? begun : undefined;
  }

  function listBegun(byte: number): Expected | undefined {
    if (isSpace(byte)) return listBegun;
    return byte === LIST.closing ? close() : value(byte);
  }

  function objectBegun(byte: number): Expected | undefined {
    if (isSpace(byte)) return objectBegun;
    return byte === OBJECT.closing ? close() : key(byte);
  }

  function key(byte: number): Expected | undefined {
    if (isSpace(byte)) return key;
    return byte === QUOTE ? begin(true) : undefined;
  }

  function colon(byte: number): Expected | undefined {
    if (isSpace(byte)) return colon;
    return byte === COLON ? value : undefined;
  }

  function close(): Expected {
    closings.pop();
    return behindValue;
  }

  function behindValue(byte: number): Expected | undefined {
    if (isSpace(byte)) return behindValue;
    if (byte === closings.at(-1)) return close();
    if (byte !== COMMA) return undefined;
    return closings.at(-1) === LIST.closing ? value : key;
  }

  function begin(asKey: boolean): Expected {
    isKey = asKey;
    return text;
  }

  function text(byte: number): Expected | undefined {
    if (byte === QUOTE) return isKey ? colon : behindValue;
    if (byte === BACKSLASH) return escape;
    return byte < 0x20 ? undefined : text;
  }

  function escape(byte: number): Expected | undefined {
    left = 4;
    if (byte === UNICODE) return hex;
    return ESCAPED.has(byte) ? text : undefined;
  }

  function hex(byte: number): Expected | undefined {
    if (!isHexDigit(byte)) return undefined;
    return --left === 0 ? text : hex;
  }

  function literal(byte: number): Expected | undefined {
    if (byte !== letters[letters.length - left]) return undefined;
    return --left === 0 ? behindValue : literal;
  }

  function firstDigit(byte: number): Expected | undefined {
    if (!isDigit(byte)) return undefined;
    return byte === ZERO ? point : whole;
  }

  function whole(byte: number): Expected | undefined {
    return isDigit(byte) ? whole : point(byte);
  }

  function point(byte: number): Expected | undefined {
    return byte === POINT ? firstDecimal : exponent(byte);
  }

  function firstDecimal(byte: number): Expected | undefined {
    return isDigit(byte) ? decimals : undefined;
  }

  function decimals(byte: number): Expected | undefined {
    return isDigit(byte) ? decimals : exponent(byte);
  }

  function exponent(byte: number): Expected | undefined {
    return (byte | 0x20) === code('e') ? sign : behindValue(byte);
  }

  function sign(byte: number): Expected | undefined {
    return byte === PLUS || byte === MINUS ? firstOfPower : firstOfPower(byte);
  }

  function firstOfPower(byte: number): Expected | undefined {
    return isDigit(byte) ? power : undefined;
  }

  function power(byte: number): Expected | undefined {
    return isDigit(byte) ? power : behindValue(byte);
  }

  return {
    take(byte) {
      expected = expected?.(byte);
      return expected !== undefined;
    },
  };
}
