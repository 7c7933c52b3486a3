import type { IncomingMessage } from 'node:http';
import { KeepapartError } from '../../domain/errors';
import type { JsonValue } from '../../domain/json';
import { createByteBuffer } from '../../edge/byte-buffer';
import { decodeUtf8, parseJsonText } from '../../edge/json-text';
import { dropBody } from './body-deadline';
import { decompressed } from './content-encoding';
import { contentTypeOf } from './content-type';

export interface JsonBodyOptions {
  /** After decompression. */
  maxBytes: number;
  maxDepth: number;
  /** Accepted content types. Default: only `application/json`. */
  types?: readonly string[];
}

/**
 * Reads and parses the body of a request; `undefined` if there is none. Nothing is read before it is called, so callers
 * without the right are refused first. Throws `unsupported-media-type`, `request-too-large`, `invalid-json` and what
 * `parseJsonText` throws.
 */
export type JsonBodyReader = (
  req: IncomingMessage,
  /** Called with the size of the body after decompression, in bytes. */
  onBytes?: (bytes: number) => void,
) => Promise<JsonValue | undefined>;

export function jsonBodyReader(options: JsonBodyOptions): JsonBodyReader {
  return async (req, onBytes) => {
    if (hasNoBody(req)) return undefined;
    requireUtf8Json(req, options.types ?? ['application/json']);
    const bytes = await readWhole(req, options.maxBytes);
    onBytes?.(bytes.length);
    return parseJsonText(decodeUtf8(bytes), { maxDepth: options.maxDepth });
  };
}

/**
 * A refused body is still read to its end, and dropped: some clients read no answer before they have sent everything.
 */
function readWhole(req: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const body = decompressed(req);
    const received = createByteBuffer(maxBytes);
    let refused = false;
    const take = (chunk: Buffer) => {
      received.add(chunk);
      if (received.size > maxBytes)
        refuse(new KeepapartError('request-too-large', `The body is larger than ${maxBytes} bytes`));
    };
    const refuse = (error: KeepapartError) => {
      if (refused) return;
      refused = true;
      body.off('data', take);
      if (body !== req) {
        req.unpipe();
        body.destroy();
      }
      dropBody(req);
      reject(error);
    };
    const breakOff = () =>
      refuse(
        new KeepapartError('invalid-json', 'The body could not be read to its end, or not be decompressed'),
      );
    body.on('data', take);
    body.once('end', () => resolve(received.content() ?? new Uint8Array()));
    body.on('error', breakOff);
    body.once('close', () => {
      if (!body.readableEnded) breakOff();
    });
  });
}

function hasNoBody(req: IncomingMessage): boolean {
  const { 'transfer-encoding': transferEncoding, 'content-length': contentLength = '0' } = req.headers;
  return transferEncoding === undefined && Number(contentLength) === 0;
}

function requireUtf8Json(req: IncomingMessage, types: readonly string[]): void {
  if (!types.includes(contentTypeOf(req) ?? ''))
    throw new KeepapartError('unsupported-media-type', `Send the body as ${types.join(' or ')}`);
}
