import { isUtf8 } from 'node:buffer';
import { unreadable } from './unreadable';

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF_16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];
const LF = 0x0a;

/**
 * Without the three bytes that some programs put in front of UTF-8, and which are no JSON. Throws `import-unreadable`
 * where what stands there is the mark of UTF-16.
 */
export async function* withoutMark(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let begin: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of bytes) {
    if (begin === undefined) {
      yield chunk;
      continue;
    }
    begin = Buffer.concat([begin, chunk]);
    if (begin.length < BYTE_ORDER_MARK.length) continue;
    yield unmarked(begin);
    begin = undefined;
  }
  if (begin !== undefined && begin.length > 0) yield unmarked(begin);
}

function unmarked(begin: Buffer): Buffer {
  if (UTF_16_MARKS.some((mark) => mark.equals(begin.subarray(0, mark.length))))
    throw unreadable('line 1', 'UTF-8', 'UTF-16: save the file as UTF-8');
  const { length } = BYTE_ORDER_MARK;
  return BYTE_ORDER_MARK.equals(begin.subarray(0, length)) ? begin.subarray(length) : begin;
}

/** Thrown by {@link wholeCharacters}; whoever counts the lines knows where that is. */
export class NotUtf8 extends Error {}

/**
 * The same bytes, cut between characters. Throws `NotUtf8` where they are no UTF-8, when the lines before that have been
 * given: a replaced character would be a changed record.
 */
export async function* wholeCharacters(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of bytes) {
    const all: Uint8Array = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = all.subarray(0, endOfCharacters(all));
    rest = all.subarray(whole.length);
    if (!isUtf8(whole)) {
      yield goodLinesOf(whole);
      throw new NotUtf8();
    }
    if (whole.length > 0) yield whole;
  }
  if (rest.length > 0) throw new NotUtf8();
}

/** Where the last character ends that can be whole: the first byte of a character tells how many follow, at most three. */
function endOfCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function goodLinesOf(bytes: Uint8Array): Uint8Array {
  let good = 0;
  for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, good)) {
    if (!isUtf8(bytes.subarray(good, end))) break;
    good = end + 1;
  }
  return bytes.subarray(0, good);
}
