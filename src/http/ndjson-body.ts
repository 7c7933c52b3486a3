import type { IncomingMessage } from 'node:http';
import { SECOND } from '../domain/duration';
import { KeepapartError } from '../domain/errors';
import { decompressed } from './content-encoding';
import { contentTypeOf } from './content-type';

export const NDJSON = 'application/x-ndjson';

export interface LineOptions {
  /** Of one line, without its end. */
  maxBytes: number;
  /** How long the client may send nothing while it is listened to. Default 30 s. */
  idleMs?: number;
}

const DEFAULT_IDLE_MS = 30 * SECOND;
const LF = 0x0a;
const CR = 0x0d;

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
 * The lines of a body of any length, without those that are blank; each ends with LF or CRLF, the last one also without.
 * Reads no further than it is asked to, and never holds more than one line. Throws `request-too-large` for a line that
 * is longer than allowed, `invalid-json` for what isn't UTF-8 or breaks off, `request-timeout`, and
 * `unsupported-media-type` for an encoding that isn't known.
 */
export async function* linesOf(
  req: IncomingMessage,
  { maxBytes, idleMs = DEFAULT_IDLE_MS }: LineOptions,
): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  const decoder = new TextDecoder('utf-8', { fatal: true });

  function lineOf(bytes: Buffer): Line | undefined {
    number++;
    const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
    if (end > maxBytes) throw tooLong(number, maxBytes);
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(0, end));
    } catch {
      throw new KeepapartError('invalid-json', `Line ${number} is not valid UTF-8`);
    }
    return text.trim() === '' ? undefined : { number, text };
  }

  for await (const chunk of chunksOf(req, idleMs)) {
    let from = 0;
    for (let to = chunk.indexOf(LF); to !== -1; to = chunk.indexOf(LF, from)) {
      const line = lineOf(
        rest.length > 0 ? Buffer.concat([rest, chunk.subarray(from, to)]) : chunk.subarray(from, to),
      );
      rest = Buffer.alloc(0);
      from = to + 1;
      if (line !== undefined) yield line;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length > maxBytes + 1) throw tooLong(number + 1, maxBytes);
  }
  if (rest.length === 0) return;
  const line = lineOf(rest);
  if (line !== undefined) yield line;
}

/** What the client sends, decompressed. The connection is left as it is, however reading ends, for the answer. */
async function* chunksOf(req: IncomingMessage, idleMs: number): AsyncGenerator<Buffer> {
  const source = decompressed(req);
  const chunks = source.iterator({ destroyOnReturn: source !== req }) as AsyncIterator<Buffer, undefined>;
  try {
    for (;;) {
      const { done, value } = await nextWithin(chunks, idleMs);
      if (done === true) return;
      yield value;
    }
  } finally {
    // Not waited for: a client that is silent would hold it up.
    void chunks.return?.();
  }
}

async function nextWithin(
  chunks: AsyncIterator<Buffer, undefined>,
  idleMs: number,
): Promise<IteratorResult<Buffer, undefined>> {
  let idle: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    idle = setTimeout(() => reject(timedOut(idleMs)), idleMs);
  });
  const next = chunks.next();
  // Should it come to its end after the silence, nobody waits for it any more.
  next.catch(() => undefined);
  try {
    return await Promise.race([next, silence]);
  } catch (error) {
    if (error instanceof KeepapartError) throw error;
    const detail = 'The body broke off, or could not be decompressed';
    throw new KeepapartError('invalid-json', detail, { cause: error });
  } finally {
    clearTimeout(idle);
  }
}

function tooLong(number: number, maxBytes: number): KeepapartError {
  return new KeepapartError('request-too-large', `Line ${number} is longer than ${maxBytes} bytes`);
}

function timedOut(idleMs: number): KeepapartError {
  return new KeepapartError('request-timeout', `Nothing came for ${idleMs / SECOND} s`);
}
