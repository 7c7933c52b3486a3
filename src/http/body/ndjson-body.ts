import type { IncomingMessage } from 'node:http';
import { KIB, SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { createByteBuffer } from '../../edge/byte-buffer';
import { decompressed } from './content-encoding';
import { contentTypeOf } from './content-type';

export const NDJSON = 'application/x-ndjson';

export interface LineOptions {
  /** Of one line, without its line end. */
  maxBytes: number;
  /** How long to wait for a line that isn't blank. Default 30 s. */
  idleMs?: number;
}

const DEFAULT_IDLE_MS = 30 * SECOND;
const LF = 0x0a;
const CR = 0x0d;

/** How many bytes of blank lines are skipped before the first line that isn't blank. */
const BLANK_BYTES = 64 * KIB;
/**
 * How many more bytes each such line allows for the lines after it, up to the same bound: a small compressed body can
 * contain any number of blank lines.
 */
const BLANK_BYTES_PER_LINE = 1 * KIB;

export interface Line {
  /** From 1. */
  number: number;
  text: string;
}

/** Whether a request brings records line by line. */
export function isNdjson(req: IncomingMessage): boolean {
  return contentTypeOf(req) === NDJSON;
}

/**
 * The lines of a body of any length, without blank ones. Each ends with LF or CRLF; the last one needs neither. Reads
 * only as far as asked, and never holds more than one line. Time and work are granted per line, so bytes without lines
 * get none. Throws `request-too-large` for a line that is too long, `invalid-request` for too many blank lines,
 * `invalid-json` for invalid UTF-8 or a broken body, `request-timeout`, and `unsupported-media-type` for an unknown
 * encoding.
 */
export async function* linesOf(
  req: IncomingMessage,
  { maxBytes, idleMs = DEFAULT_IDLE_MS }: LineOptions,
): AsyncGenerator<Line> {
  /** The beginning of a line whose end hasn't arrived, with the CR that may precede its LF. */
  const rest = createByteBuffer(maxBytes + 1);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const patience = createPatience(idleMs);
  let number = 0;
  let blankBytesLeft = BLANK_BYTES;

  function passOver(bytes: number): void {
    blankBytesLeft -= bytes;
    if (blankBytesLeft < 0) throw tooManyBlank(number);
  }

  function lineOf(bytes: Uint8Array | undefined): Line | undefined {
    number++;
    const length = bytes === undefined ? Infinity : bytes.length - (bytes.at(-1) === CR ? 1 : 0);
    if (bytes === undefined || length > maxBytes) throw tooLong(number, maxBytes);
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(0, length));
    } catch {
      throw new KeepapartError('invalid-json', `Line ${number} is not valid UTF-8`);
    }
    if (text.trim() === '') {
      passOver(bytes.length + 1);
      return undefined;
    }
    blankBytesLeft = Math.min(BLANK_BYTES, blankBytesLeft + BLANK_BYTES_PER_LINE);
    patience.renew();
    return { number, text };
  }

  /** Skips blank lines byte by byte: handling each as a line would take a hundred times as long. */
  function behindBlankLines(chunk: Uint8Array, from: number): number {
    let at = from;
    for (let step = blankLineAt(chunk, at); step > 0; step = blankLineAt(chunk, at)) {
      number++;
      at += step;
      passOver(step);
    }
    return at;
  }

  for await (const chunk of chunksOf(req, patience)) {
    let from = 0;
    while (from < chunk.length) {
      if (rest.size === 0) from = behindBlankLines(chunk, from);
      const to = chunk.indexOf(LF, from);
      const piece = chunk.subarray(from, to === -1 ? chunk.length : to);
      if (to === -1) {
        rest.add(piece);
        if (rest.size > maxBytes + 1) throw tooLong(number + 1, maxBytes);
        break;
      }
      from = to + 1;
      let bytes: Uint8Array | undefined = piece;
      if (rest.size > 0) {
        rest.add(piece);
        bytes = rest.content();
        rest.clear();
      }
      const line = lineOf(bytes);
      if (line !== undefined) yield line;
    }
  }
  if (rest.size === 0) return;
  const line = lineOf(rest.content());
  if (line !== undefined) yield line;
}

/** Length of the blank line that begins here; 0 if there is none. */
function blankLineAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] === LF) return 1;
  return bytes[at] === CR && bytes[at + 1] === LF ? 2 : 0;
}

/** What the client sends, decompressed. However reading ends, the connection stays open for the answer. */
async function* chunksOf(req: IncomingMessage, patience: Patience): AsyncGenerator<Buffer> {
  const source = decompressed(req);
  const chunks = source.iterator({ destroyOnReturn: source !== req }) as AsyncIterator<Buffer, undefined>;
  try {
    for (;;) {
      const { done, value } = await patience.wait(chunks.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    // Not awaited: a silent client would delay it.
    void chunks.return?.();
  }
}

/** How long to wait for the client. */
interface Patience {
  /** Resolves with the awaited value; throws `request-timeout` if all waits since the last renewal took too long. */
  wait<T>(next: Promise<T>): Promise<T>;
  renew(): void;
}

function createPatience(idleMs: number): Patience {
  let leftMs = idleMs;
  return {
    renew() {
      leftMs = idleMs;
    },
    async wait(next) {
      let idle: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_resolve, reject) => {
        idle = setTimeout(() => reject(timedOut(idleMs)), leftMs);
      });
      // If it settles after the timeout, nobody awaits it any more.
      next.catch(() => undefined);
      const begunAtMs = performance.now();
      try {
        return await Promise.race([next, silence]);
      } catch (error) {
        if (error instanceof KeepapartError) throw error;
        const detail = 'The body broke off, or could not be decompressed';
        throw new KeepapartError('invalid-json', detail, { cause: error });
      } finally {
        clearTimeout(idle);
        leftMs = Math.max(0, leftMs - (performance.now() - begunAtMs));
      }
    },
  };
}

function tooManyBlank(number: number): KeepapartError {
  return new KeepapartError('invalid-request', `Line ${number}: there are too many blank lines`, {
    problems: [{ field: `line ${number}`, expected: 'a record', received: 'too many blank lines' }],
  });
}

function tooLong(number: number, maxBytes: number): KeepapartError {
  return new KeepapartError('request-too-large', `Line ${number} is longer than ${maxBytes} bytes`);
}

function timedOut(idleMs: number): KeepapartError {
  return new KeepapartError('request-timeout', `No record came for ${idleMs / SECOND} s`);
}
